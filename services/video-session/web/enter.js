// The way in, one thing at a time: a code (or a link, which needs none), what to know, a look at oneself, and only then the call. Or a
// reload, which needs none of it anew. `show` tells what the page is at, `start` goes on with the answer.
function openDoor(camera, show, start) {
  // What lets in: a code that was typed, or what stands behind the # of a link that was followed.
  let key = {};
  // Of this page alone: should the answer to its key get lost, it gets that one again, and nobody else does.
  let secret = { of: "", text: "" };

  function step(name) {
    show("idle");
    ["join", "know", "look", "ways"].forEach((id) => { by(id).hidden = id !== name; });
    by(name === "join" ? "code" : name).focus();
  }

  function fail(reason) {
    camera.release();
    camera.mute(false);
    step("join");
    say("problem", "problems." + reason);
    by("code").setAttribute("aria-invalid", String(reason.startsWith("CODE")));
  }

  function secretFor() {
    const of = key.code || key.link;
    if (secret.of !== of) {
      const bytes = Array.from(crypto.getRandomValues(new Uint8Array(16)));
      secret = { of, text: bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("") };
    }
    return secret.text;
  }

  function enter(joined) {
    secret = { of: "", text: "" };
    key = {};
    by("code").value = "";
    start(joined);
  }

  function typed(event) {
    event.preventDefault();
    say("problem", "");
    const code = normaliseCode(by("code").value);
    if (code) begin({ code });
    else fail("CODE_UNKNOWN");
  }

  // The address is left as it is: each change of it is one more visit, and a link that was used opens nothing.
  function arrived() {
    const [link] = window.location.hash.match(/[0-9A-Za-z]{26}$/) || [];
    if (link) begin({ link });
    else step("join");
  }

  function begin(shown) {
    key = shown;
    if (canCall()) step("know");
    else astray(null, look, true);
  }

  // Whatever is in the way of a picture or of sound: without asking for the code again.
  function astray(error, retry, withPicture) {
    const way = wayOf(error, withPicture);
    camera.release();
    step("ways");
    say("way", way);
    const { host, pathname, hash } = window.location;
    put("address", way === "ways.elsewhere" ? host + (hash && pathname + hash) : "");
    by("here").hidden = true;
    by("again").hidden = ["ways.missing", "ways.silent", "ways.elsewhere"].includes(way);
    by("unseen").hidden = !withPicture || way === "ways.elsewhere";
    by("write").hidden = !canCall();
    by("again").onclick = () => retry(withPicture);
    by("unseen").onclick = () => retry(false);
    by("write").onclick = () => write(retry);
  }

  // The camera first: a code is good once, and must not be spent on a phone that then says no.
  async function look(withPicture) {
    step("look");
    say("looks", "look.ask");
    by("in").disabled = by("mirror").disabled = true;
    try {
      await camera.open(withPicture);
      say("looks", "look.yet");
      by("in").disabled = by("mirror").disabled = false;
      by("in").focus();
    } catch (error) {
      astray(error, look, withPicture);
    }
  }

  // Neither seen nor heard.
  function write(goOn) {
    camera.mute(true);
    goOn(false);
  }

  async function join() {
    show("joining");
    try {
      const answer = await fetch("/join", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ code: key.code, link: key.link, page: secretFor() }),
      });
      const joined = await answer.json();
      if (answer.ok) enter(joined);
      else if (joined.reason === "OPEN_ALREADY") beside(Boolean(camera.picture()));
      else if ("problems." + joined.reason in dictionary.page) fail(joined.reason);
      else throw new Error("refused");
    } catch (error) {
      show("idle");
      say("looks", "problems.other");
    }
  }

  async function turn() {
    by("mirror").disabled = true;
    await camera.turn().then(() => say("looks", "look.yet"), () => say("looks", "picture.refused"));
    by("mirror").disabled = false;
  }

  // Another tab has the call. It is taken from it by nobody who doesn't say so.
  function beside(withPicture) {
    camera.release();
    step("ways");
    say("way", "problems.OPEN_ALREADY");
    put("address", "");
    ["again", "unseen", "write"].forEach((id) => { by(id).hidden = true; });
    by("here").hidden = false;
    by("here").onclick = () => comeBack(withPicture, true);
  }

  // Of so many tries the first are silent: a page that was reloaded may be sooner here than gone there.
  const BACK_AGAIN = 500;
  const SILENT_TRIES = 4;
  const MOST_TRIES = 40;
  // What is newer takes its place, and it has no answer.
  let asked = 0;

  async function askBack(withPicture, here) {
    const mine = (asked += 1);
    const wish = { method: "POST" };
    if (here) Object.assign(wish, { headers: { "Content-Type": "application/json" }, body: JSON.stringify({ here }) });
    for (let tries = 1; ; tries += 1) {
      const answer = await fetch("/rejoin", wish);
      if (mine !== asked) return null;
      if (answer.status !== 409) return answer;
      const isBeside = (await answer.json()).reason === "OPEN_ALREADY";
      if (!isBeside && tries === SILENT_TRIES) return answer;
      if (isBeside && tries === SILENT_TRIES) beside(withPicture);
      if (tries === MOST_TRIES) return null;
      await pause(BACK_AGAIN);
    }
  }

  // With what the server remembers, or with sound only. A camera that was turned off stays off.
  async function comeBack(withPicture = true, here = false) {
    const connects = () => {
      step("look");
      show("joining");
      say("looks", "status.connecting");
    };
    // A reload shows nothing before it knows whether it was covered.
    if (document.body.dataset.state !== "loading") connects();
    let wanted = withPicture;
    try {
      const answer = await askBack(withPicture, here);
      if (!answer) return;
      if (!answer.ok) return arrived();
      const joined = await answer.json();
      wanted = withPicture && joined.picture;
      if (!joined.sound) camera.mute(true);
      if (!joined.covered) {
        connects();
        await camera.open(wanted);
      }
      enter(joined);
    } catch (error) {
      astray(error, comeBack, wanted);
    }
  }

  by("join").addEventListener("submit", typed);
  by("on").addEventListener("click", () => look(true));
  by("quiet").addEventListener("click", () => look(false));
  by("mute").addEventListener("click", () => write(look));
  by("mirror").addEventListener("click", turn);
  by("in").addEventListener("click", join);
  // Another link, in the tab that has this page already.
  window.addEventListener("hashchange", () => { if (["idle", "ended"].includes(document.body.dataset.state)) arrived(); });
  // Only a reload is back by itself. A page that was opened again may be in other hands: what let it in is forgotten.
  const visit = performance.getEntriesByType("navigation")[0];
  if (visit && visit.type === "reload") {
    comeBack();
  } else {
    arrived();
    fetch("/rejoin", { method: "DELETE" }).catch(() => {});
  }
  return { astray };
}
