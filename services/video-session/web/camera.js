// Our own sound and picture. Off is off: the camera's light goes out, too.
const MICROPHONE = { echoCancellation: true, noiseSuppression: true };
const CAMERA = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };

function openCamera() {
  let stream = null;
  let wanted = {};
  let waking = null;
  const picture = () => (stream && stream.getVideoTracks()[0]) || null;

  function shown() {
    const has = Boolean(picture());
    document.body.dataset.picture = has ? "on" : "off";
    say("camera", has ? "picture.off" : "picture.on");
    say("notice", has ? "" : "picture.none");
  }

  async function open(withPicture) {
    wanted = withPicture ? { audio: MICROPHONE, video: CAMERA } : { audio: MICROPHONE };
    stream = await navigator.mediaDevices.getUserMedia(wanted);
    by("own").srcObject = stream;
    shown();
  }

  // On or off.
  async function turn() {
    const track = picture();
    if (track) {
      track.stop();
      stream.removeTrack(track);
      wanted = { audio: MICROPHONE };
    } else {
      wanted = { audio: MICROPHONE, video: CAMERA };
      const more = stream.getAudioTracks().length ? { video: CAMERA } : wanted;
      (await navigator.mediaDevices.getUserMedia(more)).getTracks().forEach((one) => stream.addTrack(one));
    }
    shown();
  }

  // Nothing is sent for a while, and no light is on.
  function rest() {
    by("own").srcObject = null;
    if (stream) stream.getTracks().forEach((track) => { track.stop(); stream.removeTrack(track); });
  }

  // As before, in the same stream.
  async function wake() {
    if (waking || stream.getTracks().length) return waking;
    waking = navigator.mediaDevices.getUserMedia(wanted);
    try {
      (await waking).getTracks().forEach((track) => (stream ? stream.addTrack(track) : track.stop()));
    } finally {
      waking = null;
    }
    if (!stream) return;
    by("own").srcObject = stream;
    shown();
  }

  function release() {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    by("own").srcObject = null;
  }

  return { open, turn, rest, wake, release, shown, picture, stream: () => stream };
}
