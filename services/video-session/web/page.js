// The page: one field, one picture, one way out. What it is at, and what belongs to whom.
(function () {
  const camera = openCamera();
  const screen = openScreen();
  let call = null;
  let chat = null;
  let token = null;

  function show(state) {
    document.body.dataset.state = state;
    by("enter").hidden = state !== "idle" && state !== "joining";
    by("call").hidden = state !== "live";
    by("over").hidden = state !== "ended";
    by("go").disabled = by("quiet").disabled = state === "joining";
    by("code").readOnly = state === "joining";
  }

  function start(joined) {
    token = joined.token;
    show("live");
    chat = openChat(joined);
    const wished = () => { by("photo").hidden = false; };
    call = openCall(joined, camera.stream(), { changed: refresh, held, ended, chat: chat.heard, photo: wished });
    stayAwake();
    refresh();
  }

  function refresh() {
    if (call) screen.refresh(call);
  }

  function held(isHeld) {
    camera.shown();
    if (isHeld) say("notice", "picture.held");
  }

  async function switchPicture() {
    by("camera").disabled = true;
    try {
      await camera.turn();
      if (call) await call.show();
    } catch (error) {
      say("notice", "picture.refused");
    }
    by("camera").disabled = false;
  }

  // Asked for, and taken only by a tap.
  async function photograph() {
    if (!camera.picture()) return say("notice", "photo.first");
    by("photo").disabled = true;
    const kept = await sendPhoto(camera.picture(), by("own"), token).catch(() => false);
    by("photo").disabled = false;
    by("photo").hidden = kept;
    say("notice", kept ? "photo.sent" : "photo.unsent");
  }

  function close() {
    token = null;
    if (call) call.close();
    if (chat) chat.close();
    call = chat = null;
    camera.release();
    screen.clear();
  }

  const exits = openExits(() => token, close);

  function ended() {
    exits.ended();
    show("ended");
  }

  function stayAwake() {
    if (navigator.wakeLock && call && document.visibilityState === "visible") {
      navigator.wakeLock.request("screen").catch(() => {});
    }
  }

  document.addEventListener("visibilitychange", stayAwake);
  document.addEventListener("spoken", refresh);
  by("camera").addEventListener("click", switchPicture);
  by("photo").addEventListener("click", photograph);
  ["resize", "playing", "loadeddata"].forEach((name) => by("other").addEventListener(name, refresh));
  window.callStats = () => (call ? call.stats() : Promise.resolve(null));
  show("idle");
  openDoor(camera, show, start);
})();
