// The page: one field, one picture, one way out.
(function () {
  const by = (id) => document.getElementById(id);
  const put = (id, text) => { by(id).textContent = text; };
  const body = document.body;
  let call = null;
  let chat = null;
  let stream = null;
  let token = null;
  let wasUp = false;
  // Of this page alone: should the answer to its code get lost, it gets that one again, and nobody else does.
  let secret = { code: "", text: "" };

  const words = {
    CODE_UNKNOWN: "That code isn’t right. Check it and try again.",
    CODE_USED: "That code has been used already. Ask for a new one.",
    CODE_EXPIRED: "That code is too old. Ask for a new one.",
    TOO_MANY_TRIES: "Too many tries. Wait a minute, or ask for a new code.",
    SESSION_ENDED: "That call is over. Ask for a new code.",
    NotAllowedError: "The camera or microphone is turned off for this page. Allow both in your browser’s settings, then press Join again.",
    NotFoundError: "We can’t find a camera and microphone on this device. You can join with sound only.",
    NotReadableError: "Another app is using the camera. Close it and press Join again, or join with sound only.",
    unsupported: "This browser can’t make video calls. Try Safari or Chrome.",
    other: "That didn’t work. Check your signal and try again.",
  };

  function show(state) {
    body.dataset.state = state;
    by("enter").hidden = state !== "idle" && state !== "joining";
    by("call").hidden = state !== "live";
    by("over").hidden = state !== "ended";
    by("go").disabled = by("quiet").disabled = state === "joining";
    by("code").readOnly = state === "joining";
  }

  function release() {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    by("own").srcObject = null;
    by("other").srcObject = null;
    put("more", "");
    by("photo").hidden = true;
  }

  function fail(reason) {
    release();
    show("idle");
    put("problem", words[reason] || words.other);
    by("code").setAttribute("aria-invalid", String(reason.startsWith("CODE")));
    by("code").focus();
  }

  const microphone = { echoCancellation: true, noiseSuppression: true };
  const camera = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };

  async function open(withPicture) {
    stream = await navigator.mediaDevices.getUserMedia(withPicture ? { audio: microphone, video: camera } : { audio: microphone });
    showPicture();
  }

  function showPicture() {
    const has = Boolean(stream && stream.getVideoTracks().length);
    body.dataset.picture = has ? "on" : "off";
    put("camera", has ? "Turn picture off" : "Turn picture on");
    put("notice", has ? "" : "Your picture is off. You can still talk and listen.");
  }

  // Asked for, and taken only by a tap.
  async function photograph() {
    const [track] = stream.getVideoTracks();
    if (!track) return put("notice", "Turn your picture on first.");
    by("photo").disabled = true;
    const kept = await sendPhoto(track, by("own"), token).catch(() => false);
    by("photo").disabled = false;
    by("photo").hidden = kept;
    put("notice", kept ? "The photo is sent. It isn’t kept on this phone." : "The photo wasn’t sent. Try again.");
  }

  // Off is off: the camera's light goes out, too.
  async function switchPicture() {
    by("camera").disabled = true;
    try {
      const [track] = stream.getVideoTracks();
      if (track) {
        track.stop();
        stream.removeTrack(track);
      } else {
        stream.addTrack((await navigator.mediaDevices.getUserMedia({ video: camera })).getVideoTracks()[0]);
      }
      showPicture();
      if (call) await call.show();
    } catch (error) {
      put("notice", "The camera can’t be turned on. You can still talk and listen.");
    }
    by("camera").disabled = false;
  }

  function held(isHeld) {
    showPicture();
    if (isHeld) put("notice", "The signal is weak, so only sound is sent. Your picture comes back by itself.");
  }

  // Only a reload is back by itself. A page that was opened again may be in other hands: what let it in is forgotten.
  async function comeBack() {
    const visit = performance.getEntriesByType("navigation")[0];
    if (!visit || visit.type !== "reload") return fetch("/rejoin", { method: "DELETE" }).catch(() => {});
    show("joining");
    try {
      const answer = await fetch("/rejoin", { method: "POST" });
      if (!answer.ok) return show("idle");
      const joined = await answer.json();
      // A camera that was turned off stays off.
      await open(joined.picture);
      start(joined);
    } catch (error) {
      fail(error && words[error.name] ? error.name : "other");
    }
  }

  function secretFor(code) {
    if (secret.code !== code) {
      const bytes = Array.from(crypto.getRandomValues(new Uint8Array(16)));
      secret = { code, text: bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("") };
    }
    return secret.text;
  }

  async function join(event, withPicture = true) {
    event.preventDefault();
    if (body.dataset.state !== "idle") return;
    put("problem", "");
    const code = normaliseCode(by("code").value);
    if (!code) return fail("CODE_UNKNOWN");
    if (!navigator.mediaDevices || !window.RTCPeerConnection) return fail("unsupported");
    show("joining");
    try {
      // The camera first: a code is good once, and must not be spent on a phone that then says no.
      await open(withPicture);
      const answer = await fetch("/join", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ code, page: secretFor(code) }),
      });
      const joined = await answer.json();
      if (!answer.ok) return fail(joined.reason || "other");
      start(joined);
    } catch (error) {
      fail(error && words[error.name] ? error.name : "other");
    }
  }

  function start(joined) {
    token = joined.token;
    secret = { code: "", text: "" };
    by("code").value = "";
    by("own").srcObject = stream;
    show("live");
    chat = openChat(joined);
    call = openCall(joined, stream, { changed: refresh, held, ended, chat: chat.heard, photo: () => { by("photo").hidden = false; } });
    stayAwake();
    refresh();
  }

  function play(video, remote) {
    if (video.srcObject === remote) return;
    video.srcObject = remote;
    resume(video);
  }

  function resume(video) {
    const started = video.srcObject && video.play();
    if (started) {
      started.then(() => { by("play").hidden = true; })
        .catch((error) => { by("play").hidden = error.name !== "NotAllowedError"; });
    }
  }

  // The first fills the screen, the others are beside it.
  function look(pictures) {
    play(by("other"), pictures.length ? pictures[0].stream : null);
    const more = by("more");
    const ids = pictures.slice(1).map((one) => one.id);
    Array.from(more.children).forEach((video) => { if (!ids.includes(video.dataset.id)) video.remove(); });
    pictures.slice(1).forEach((one) => {
      let video = Array.from(more.children).find((known) => known.dataset.id === one.id);
      if (!video) {
        video = document.createElement("video");
        video.dataset.id = one.id;
        video.playsInline = true;
        video.setAttribute("aria-label", "Another person in the call");
        more.append(video);
      }
      play(video, one.stream);
    });
  }

  const recorded = {
    on: "This call is being recorded.",
    paused: "Recording is paused.",
    stopped: "Recording has stopped.",
    refused: "This call isn’t recorded.",
  };

  // Nobody is here unseen.
  function company(people, recording) {
    const count = (role) => people.filter((one) => one.role === role).length;
    const helpers = count("helper");
    const listeners = count("listener");
    const said = recorded[recording] ? [recorded[recording]] : [];
    if (helpers) said.push(helpers === 1 ? "A helper is here." : helpers + " helpers are here.");
    if (listeners) said.push(listeners === 1 ? "Someone is listening in." : listeners + " people are listening in.");
    return said.join(" ");
  }

  function say(id, text) {
    if (by(id).textContent !== text) by(id).textContent = text;
  }

  function refresh() {
    if (!call) return;
    const pictures = call.pictures();
    look(pictures);
    const sends = call.sends();
    const sees = pictures.length > 0 && pictures[0].up && by("other").videoWidth > 0;
    wasUp = wasUp || sends;
    body.dataset.remote = sees ? "yes" : "no";
    let status = "";
    if (!call.isIn()) status = "You’ll be let in soon. Please wait…";
    else if (!sends) status = wasUp ? "Reconnecting…" : "Connecting…";
    else if (!pictures.length) status = "You’re in. Waiting for the other person…";
    else if (pictures[0].held) status = "Your signal is weak: sound only for now.";
    else if (!sees) status = "Connecting the picture…";
    say("status", status);
    say("company", company(call.people(), call.isIn() && call.recording()));
  }

  function ended() {
    sayGone("/leave");
    show("ended");
  }

  // No waiting for anything: blank first, then out.
  function leave() {
    document.documentElement.style.display = "none";
    sayGone("/leave");
    window.location.replace(body.dataset.exit);
  }

  // To "/leave" for good, to "/away" when it may be a reload.
  function sayGone(where) {
    if (token) {
      fetch(where, { method: "POST", keepalive: true, headers: { Authorization: "Bearer " + token } }).catch(() => {});
    }
    token = null;
    if (call) call.close();
    if (chat) chat.close();
    call = chat = null;
    release();
  }

  function stayAwake() {
    if (navigator.wakeLock && call && document.visibilityState === "visible") {
      navigator.wakeLock.request("screen").catch(() => {});
    }
  }

  let shifts = [];
  document.addEventListener("keydown", (event) => {
    shifts = event.key === "Shift" ? shifts.filter((at) => event.timeStamp - at < 5000).concat(event.timeStamp) : [];
    if (shifts.length === 3) leave();
  });
  document.addEventListener("visibilitychange", stayAwake);
  window.addEventListener("pagehide", () => {
    document.documentElement.style.display = "none";
    sayGone("/away");
  });
  // Out of the browser's memory of pages nothing of a call may come back: opened anew, not reloaded.
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.replace(window.location.pathname); });
  by("join").addEventListener("submit", join);
  by("quiet").addEventListener("click", (event) => join(event, false));
  by("camera").addEventListener("click", switchPicture);
  by("photo").addEventListener("click", photograph);
  by("leave").addEventListener("click", leave);
  by("play").addEventListener("click", () => document.querySelectorAll("#other, #more video").forEach(resume));
  ["resize", "playing", "loadeddata"].forEach((name) => by("other").addEventListener(name, refresh));
  window.callStats = () => (call ? call.stats() : Promise.resolve(null));
  show("idle");
  by("code").focus();
  comeBack();
})();
