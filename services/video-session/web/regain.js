// A phone call, another app or the lock screen may take the microphone or the camera in the middle of a call. It is said, so that nobody
// speaks to nobody unawares, and they are had again as soon as the phone gives them.
const REGAIN_AFTER = 3000;

function watchLosses(camera, call, changed) {
  let over = false;
  let trying = false;
  let silent = false;

  async function regain() {
    if (trying) return;
    trying = true;
    while (!over && camera.isLost() && document.visibilityState === "visible") {
      try {
        await camera.regain();
        await call.show();
      } catch (error) {
        // Asking again would only have the browser ask them.
        if (error.name === "NotAllowedError") break;
        await pause(REGAIN_AFTER);
      }
    }
    trying = false;
    if (!over) tell();
  }

  function tell() {
    if (camera.isSilent() !== silent) {
      silent = !silent;
      call.note("sound", !silent, "taken");
    }
    changed();
  }

  function look() {
    tell();
    regain();
  }

  document.addEventListener("visibilitychange", look);
  return { look, close: () => { over = true; document.removeEventListener("visibilitychange", look); } };
}
