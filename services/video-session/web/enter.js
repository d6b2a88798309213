// The way in: a code, and then camera and microphone; or a reload, which needs neither anew. `show` tells what the page is at,
// `start` goes on with the answer.
const problemOf = (reason) => ("problems." + reason in dictionary.page ? "problems." + reason : "problems.other");

function openDoor(camera, show, start) {
  // Of this page alone: should the answer to its code get lost, it gets that one again, and nobody else does.
  let secret = { code: "", text: "" };

  function fail(reason) {
    camera.release();
    show("idle");
    say("problem", problemOf(reason));
    by("code").setAttribute("aria-invalid", String(reason.startsWith("CODE")));
    by("code").focus();
  }

  function secretFor(code) {
    if (secret.code !== code) {
      const bytes = Array.from(crypto.getRandomValues(new Uint8Array(16)));
      secret = { code, text: bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("") };
    }
    return secret.text;
  }

  function enter(joined) {
    secret = { code: "", text: "" };
    by("code").value = "";
    start(joined);
  }

  async function join(event, withPicture = true) {
    event.preventDefault();
    if (document.body.dataset.state !== "idle") return;
    say("problem", "");
    const code = normaliseCode(by("code").value);
    if (!code) return fail("CODE_UNKNOWN");
    if (!navigator.mediaDevices || !window.RTCPeerConnection) return fail("unsupported");
    show("joining");
    try {
      // The camera first: a code is good once, and must not be spent on a phone that then says no.
      await camera.open(withPicture);
      const answer = await fetch("/join", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ code, page: secretFor(code) }),
      });
      const joined = await answer.json();
      if (!answer.ok) return fail(joined.reason || "other");
      enter(joined);
    } catch (error) {
      fail(String(error && error.name));
    }
  }

  // Only a reload is back by itself. A page that was opened again may be in other hands: what let it in is forgotten.
  async function comeBack() {
    const visit = performance.getEntriesByType("navigation")[0];
    if (!visit || visit.type !== "reload") {
      show("idle");
      by("code").focus();
      return fetch("/rejoin", { method: "DELETE" }).catch(() => {});
    }
    try {
      // It shows nothing until then: it may have been covered.
      const answer = await fetch("/rejoin", { method: "POST" });
      if (!answer.ok) return show("idle");
      const joined = await answer.json();
      if (!joined.covered) {
        show("joining");
        // A camera that was turned off stays off.
        await camera.open(joined.picture);
      }
      enter(joined);
    } catch (error) {
      fail(String(error && error.name));
    }
  }

  by("join").addEventListener("submit", join);
  by("quiet").addEventListener("click", (event) => join(event, false));
  comeBack();
  return { fail };
}
