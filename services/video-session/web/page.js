// The page: one field, one picture, one way out. What it is at, and what belongs to whom.
(function () {
  const camera = openCamera();
  const screen = openScreen();
  let call = null;
  let chat = null;
  let token = null;
  let light = null;
  // A call that was covered when the page was reloaded: not begun before it is shown again.
  let waits = null;

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
    cover.enter(joined);
    show("live");
    if (!cover.isOn()) return begin(joined);
    camera.release();
    waits = joined;
  }

  function begin(joined) {
    chat = openChat(joined);
    const wished = () => { by("photo").hidden = false; };
    call = openCall(joined, camera.stream(), {
      changed: refresh, held, ended, chat: chat.heard, photo: wished, pretext: cover.choose, listening: cover.again,
    });
    stayAwake();
    refresh();
  }

  function refresh() {
    if (call && !cover.isOn()) screen.refresh(call);
  }

  function hush() {
    screen.hush();
    if (light) light.release().catch(() => {});
    light = null;
    if (!call) return;
    chat.rest();
    // What is recorded by their own wish goes on.
    if (!call.keeps()) camera.rest();
    call.resend();
  }

  async function back() {
    const joined = waits;
    if (joined) return comeBack(joined);
    if (!call) return;
    chat.wake();
    try {
      await camera.wake();
    } catch (error) {
      say("notice", problemOf(error && error.name));
    }
    // Covered again meanwhile.
    if (cover.isOn()) return hush();
    if (!call) return;
    call.resend();
    stayAwake();
    refresh();
  }

  async function comeBack(joined) {
    waits = null;
    say("status", "status.connecting");
    try {
      await camera.open(joined.picture);
    } catch (error) {
      return door.fail(String(error && error.name));
    }
    if (!cover.isOn()) return begin(joined);
    camera.release();
    waits = joined;
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
      if (call) await call.resend();
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
    token = waits = null;
    cover.leave();
    if (call) call.close();
    if (chat) chat.close();
    call = chat = null;
    camera.release();
    screen.clear();
  }

  const exits = openExits(() => token, close);
  const cover = openCover({ hush, back });

  function ended() {
    exits.ended();
    show("ended");
  }

  function stayAwake() {
    if (!navigator.wakeLock || !call || cover.isOn() || document.visibilityState !== "visible") return;
    navigator.wakeLock.request("screen").then((lock) => {
      light = lock;
      // A lit screen is noticed.
      if (cover.isOn()) lock.release();
    }).catch(() => {});
  }

  document.addEventListener("visibilitychange", stayAwake);
  document.addEventListener("spoken", refresh);
  by("camera").addEventListener("click", switchPicture);
  by("photo").addEventListener("click", photograph);
  ["resize", "playing", "loadeddata"].forEach((name) => by("other").addEventListener(name, refresh));
  window.callStats = () => (call ? call.stats() : Promise.resolve(null));
  const door = openDoor(camera, show, start);
})();
