// A photograph for the other side, when they ask for one: out of the camera's stream at the tap, never from the phone's own pictures.
// It is hashed here, and nothing of it stays once it is away: our own bytes are overwritten, and the browser's (a Blob, which nobody can
// overwrite) are let go of before they are sent.
const LARGEST_PHOTO = 8 * 1024 * 1024;

// As large as the camera makes it, where the browser can; else as large as it is sent.
async function takePhoto(track, video) {
  if (window.ImageCapture) {
    try {
      const photo = await new ImageCapture(track).takePhoto();
      if (photo.type === "image/jpeg" && photo.size <= LARGEST_PHOTO) return new Uint8Array(await photo.arrayBuffer());
    } catch (error) {
      // Not this camera.
    }
  }
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  const photo = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.92));
  canvas.width = canvas.height = 0;
  return new Uint8Array(await photo.arrayBuffer());
}

// True when it is kept.
async function sendPhoto(track, video, token) {
  const photo = await takePhoto(track, video);
  try {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", photo));
    const headers = bearing(token, {
      "Content-Type": "image/jpeg",
      "Content-Digest": "sha-256=:" + btoa(String.fromCharCode.apply(null, hash)) + ":",
    });
    // Sent again it is the same one.
    for (let tries = 0; tries < 4; tries += 1) {
      if (tries) await pause(1000);
      // 160 kb/s is little, even where the signal is weak.
      const [answer] = await ask("/photo", { method: "POST", headers, body: photo }, 20000 + photo.length / 20).catch(() => []);
      if (answer && answer.status < 500 && answer.status !== 429) return answer.ok;
    }
    return false;
  } finally {
    photo.fill(0);
  }
}
