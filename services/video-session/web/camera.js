// Our own sound and picture. Off is off: the camera's light goes out, too.
const WANTED = {
  audio: { echoCancellation: true, noiseSuppression: true },
  video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } },
};
// Before the call, and in it.
const OWN = ["preview", "own"];

// `taken`: the phone has taken one of them away, or given it back.
function openCamera(taken, isCovered) {
  let stream = null;
  // What is at rest, and how often it was put there and woken.
  let resting = [];
  let turns = 0;
  // By choice, and over all that may become of the microphone.
  let isMute = false;
  // Neither seen nor heard: no microphone is opened for that.
  let writes = false;
  const picture = () => (stream && stream.getVideoTracks()[0]) || null;
  const ended = () => (stream ? stream.getTracks().filter((track) => track.readyState === "ended") : []);

  function shown() {
    const has = Boolean(picture());
    document.body.dataset.picture = has ? "on" : "off";
    document.body.dataset.sound = isMute ? "off" : "on";
    ["sights", "mirror"].forEach((id) => say(id, has ? "picture.off" : "picture.on"));
    say("sounds", isMute ? "sound.on" : "sound.off");
  }

  function heed(track) {
    track.onmute = track.onunmute = track.onended = taken;
    if (track.kind === "audio") track.enabled = !isMute;
  }

  async function given(kinds) {
    const wanted = kinds.filter((kind) => !writes || kind !== "audio");
    const silence = wanted.length < kinds.length ? [openSilence()] : [];
    if (!wanted.length) return silence;
    const asked = {};
    wanted.forEach((kind) => { asked[kind] = WANTED[kind]; });
    return silence.concat((await navigator.mediaDevices.getUserMedia(asked)).getTracks());
  }

  async function have(kinds) {
    const then = turns;
    (await given(kinds)).forEach((track) => {
      // Closed, or covered, meanwhile.
      if (!stream || then !== turns) return track.stop();
      stream.addTrack(track);
      heed(track);
    });
  }

  async function open(withPicture) {
    const { audio, video } = WANTED;
    writes = isMute && !withPicture;
    stream = writes ? new MediaStream([openSilence()])
      : await navigator.mediaDevices.getUserMedia(withPicture ? { audio, video } : { audio });
    stream.getTracks().forEach(heed);
    OWN.forEach((id) => { by(id).srcObject = stream; });
    shown();
    // Covered while the browser asked.
    if (isCovered()) rest();
  }

  function drop(track) {
    track.stop();
    stream.removeTrack(track);
  }

  // On or off.
  async function turn() {
    if (picture()) drop(picture());
    else await have(["video"]);
    shown();
  }

  // Heard or not, at once: the microphone stays ours, since a phone may ask before it gives it back.
  function mute(is) {
    isMute = is;
    if (stream) stream.getAudioTracks().forEach(heed);
    shown();
  }

  // The same by a tap. Who has only written so far has no microphone yet.
  async function turnSound() {
    if (writes) {
      const silence = stream.getAudioTracks();
      writes = false;
      await have(["audio"]).catch((error) => { writes = true; throw error; });
      silence.forEach(drop);
    }
    mute(!isMute);
  }

  // What is muted comes back by itself; what has ended is asked for anew, and comes back only so.
  async function regain() {
    for (const track of ended()) {
      await have([track.kind]);
      if (stream) stream.removeTrack(track);
    }
  }

  // Nothing is sent for a while, and no light is on.
  function rest() {
    turns += 1;
    OWN.forEach((id) => { by(id).srcObject = null; });
    const tracks = stream ? stream.getTracks() : [];
    if (tracks.length) resting = tracks.map((track) => track.kind);
    tracks.forEach(drop);
  }

  // As before, in the same stream.
  async function wake() {
    if (!resting.length) return;
    turns += 1;
    const mine = turns;
    await have(resting);
    if (!stream || mine !== turns) return;
    resting = [];
    OWN.forEach((id) => { by(id).srcObject = stream; });
    shown();
  }

  function release() {
    resting = [];
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    OWN.forEach((id) => { by(id).srcObject = null; });
  }

  // There is sound of ours, and nobody hears it, against our wish.
  function isSilent() {
    const sounds = stream && !isMute ? stream.getAudioTracks() : [];
    return sounds.length > 0 && sounds.every((track) => track.muted || track.readyState === "ended");
  }

  return {
    open, turn, turnSound, mute, rest, wake, regain, release, picture, isSilent,
    isMute: () => isMute, writes: () => writes, isLost: () => ended().length > 0, stream: () => stream,
  };
}
