// What to say when a camera or a microphone can't be had. Nobody is told an error's name.
const IN_APP = /FBAN|FBAV|Instagram|Line\/|GSA\/|Snapchat|TikTok|musical_ly|MicroMessenger|; wv\)/;
const WAYS = {
  NotAllowedError: "ways.denied",
  NotFoundError: "ways.missing",
  OverconstrainedError: "ways.missing",
  NotReadableError: "ways.busy",
  AbortError: "ways.busy",
};

const canCall = () => Boolean(navigator.mediaDevices && window.RTCPeerConnection);

function wayOf(error, withPicture) {
  const way = WAYS[error && error.name];
  // What shows pages inside of another app often may not use the camera, whatever its settings say.
  if (!canCall() || (way === "ways.denied" && IN_APP.test(navigator.userAgent))) return "ways.elsewhere";
  if (way === "ways.missing" && !withPicture) return "ways.silent";
  return way || "problems.other";
}
