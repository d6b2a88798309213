// The ways out. `token` is what there is to give up, `close` ends all else.
function openExits(token, close) {
  const blank = () => { document.documentElement.style.display = "none"; };

  // To "/leave" for good, to "/away" when it may be a reload.
  function sayGone(where) {
    const held = token();
    if (held) fetch(where, { method: "POST", keepalive: true, headers: bearing(held) }).catch(() => {});
    close();
  }

  // No waiting for anything: blank first, then out.
  function leave() {
    blank();
    sayGone("/leave");
    window.location.replace(document.body.dataset.exit);
  }

  by("leave").addEventListener("click", leave);
  window.addEventListener("pagehide", () => {
    blank();
    sayGone("/away");
  });
  // Out of the browser's memory of pages nothing of a call may come back: opened anew, not reloaded.
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.replace(window.location.pathname); });
  return { ended: () => sayGone("/leave") };
}
