// The page: one field, one picture, one way out. What it is at, and what belongs to whom.
(function () {
  let losses = null;
  const camera = openCamera(() => { if (losses) losses.look(); }, () => cover.isOn());
  const screen = openScreen();
  let call = null;
  let chat = null;
  let token = null;
  let isWeak = false;
  let light = null;
  // A call that was covered when the page was reloaded, or on the way in: not begun before it is shown again.
  let waits = null;
  let unwatch = () => {};

  function show(state) {
    document.body.dataset.state = state;
    by("enter").hidden = state !== "idle" && state !== "joining";
    by("call").hidden = state !== "live";
    by("over").hidden = state !== "ended";
    by("in").disabled = by("mirror").disabled = state === "joining";
  }

  function start(joined) {
    token = joined.token;
    cover.enter(joined);
    corner.enter(joined);
    show("live");
    if (!cover.isOn()) return begin(joined);
    camera.release();
    waits = joined;
  }

  function begin(joined) {
    chat = openChat(joined);
    const wished = () => { by("photo").hidden = false; };
    call = openCall(joined, camera.stream(), {
      changed: refresh, held, ended, chat: chat.heard, photo: wished, pretext: cover.choose, listening,
    });
    losses = watchLosses(camera, call, notice);
    unwatch = watchBattery(camera);
    stayAwake();
    screen.quieten(camera.writes());
    refresh();
    notice();
    if (!camera.writes()) return;
    // The other side reads why it hears nothing: once, and not at each reload.
    if (joined.sound) chat.write("only-write");
    chat.open();
  }

  function listening() {
    cover.again();
    corner.again();
  }

  function refresh() {
    if (call && !cover.isOn()) screen.refresh(call);
  }

  function hush() {
    screen.hush();
    if (light) light.release().catch(() => {});
    light = null;
    options.shut();
    if (call) chat.rest();
    // What is recorded by their own wish goes on.
    if (!call || !call.keeps()) camera.rest();
    if (call) call.resend();
  }

  async function back() {
    if (waits) return comeBack(waits, waits.picture);
    if (call) chat.wake();
    const isAwake = await camera.wake().then(() => true, () => false);
    // Covered again meanwhile.
    if (cover.isOn()) return hush();
    if (!call) return;
    call.resend();
    stayAwake();
    refresh();
    if (isAwake) notice();
    else say("notice", "sound.taken");
  }

  async function comeBack(joined, withPicture) {
    waits = null;
    show("live");
    say("status", "status.connecting");
    try {
      await camera.open(withPicture);
    } catch (error) {
      return door.astray(error, (next) => comeBack(joined, next), withPicture);
    }
    if (!cover.isOn()) return begin(joined);
    camera.release();
    waits = joined;
  }

  // What is wrong with our own side, the worst of it first.
  function notice() {
    if (camera.isMute()) say("notice", "sound.none");
    else if (camera.isSilent()) say("notice", "sound.taken");
    else if (isWeak) say("notice", "picture.held");
    else say("notice", camera.picture() ? "" : "picture.none");
  }

  function held(isHeld) {
    isWeak = isHeld;
    notice();
  }

  async function switchPicture() {
    by("camera").disabled = true;
    try {
      await camera.turn();
      notice();
      if (call) await call.show();
    } catch (error) {
      say("notice", "picture.refused");
    }
    by("camera").disabled = false;
    options.shut();
  }

  // What was lost against our wish is said before, or after, as what it is.
  async function switchSound() {
    by("sound").disabled = true;
    try {
      await camera.turnSound();
      if (call) await call.resend();
      if (losses) losses.look();
      if (call && !camera.isSilent()) call.note("sound", !camera.isMute(), "choice");
    } catch (error) {
      say("notice", wayOf(error, false));
    }
    by("sound").disabled = false;
    options.shut();
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
    corner.leave();
    unwatch();
    [losses, call, chat].forEach((one) => { if (one) one.close(); });
    losses = call = chat = null;
    camera.release();
    camera.mute(false);
    options.shut();
    screen.clear();
  }

  const options = openSheet("sheet", "options", "shut", (isOpen) => { by("controls").hidden = isOpen; });
  const exits = openExits(() => token, close);
  const cover = openCover({ hush, back });
  const corner = openCorner();

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
  by("sound").addEventListener("click", switchSound);
  by("photo").addEventListener("click", photograph);
  ["resize", "playing", "loadeddata"].forEach((name) => by("other").addEventListener(name, refresh));
  window.callStats = () => (call ? call.stats() : Promise.resolve(null));
  const door = openDoor(camera, show, start);
})();
