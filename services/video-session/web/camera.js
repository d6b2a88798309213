// Our own sound and picture. Off is off: the camera's light goes out, too.
const MICROPHONE = { echoCancellation: true, noiseSuppression: true };
const CAMERA = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };

function openCamera() {
  let stream = null;
  const picture = () => (stream && stream.getVideoTracks()[0]) || null;

  function shown() {
    const has = Boolean(picture());
    document.body.dataset.picture = has ? "on" : "off";
    say("camera", has ? "picture.off" : "picture.on");
    say("notice", has ? "" : "picture.none");
  }

  async function open(withPicture) {
    stream = await navigator.mediaDevices.getUserMedia(withPicture ? { audio: MICROPHONE, video: CAMERA } : { audio: MICROPHONE });
    by("own").srcObject = stream;
    shown();
  }

  // On or off.
  async function turn() {
    const track = picture();
    if (track) {
      track.stop();
      stream.removeTrack(track);
    } else {
      stream.addTrack((await navigator.mediaDevices.getUserMedia({ video: CAMERA })).getVideoTracks()[0]);
    }
    shown();
  }

  function release() {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    by("own").srcObject = null;
  }

  return { open, turn, release, shown, picture, stream: () => stream };
}
