// What is written: by hand, or by a tap on a phrase in one's own language. Only what came back is shown: so it is kept.
const WRITE_AGAIN = 800;

function openChat(joined) {
  let over = false;
  let shown = 0;
  let written = 0;
  let turn = Promise.resolve();
  let told = "";
  const listeners = [];
  const on = (target, event, act) => { target.addEventListener(event, act); listeners.push(() => target.removeEventListener(event, act)); };

  // Sent again until it is answered: it has a name of its own, and is written once.
  async function deliver(body) {
    while (!over) {
      try {
        const answer = await fetch("/chat", {
          method: "POST",
          headers: bearing(joined.token, { "Content-Type": "application/json" }),
          body,
        });
        if (answer.ok) return true;
        if (answer.status < 500 && answer.status !== 429) return false;
      } catch (error) {
        // No network: again.
      }
      await pause(WRITE_AGAIN);
    }
    return false;
  }

  // One after the other, in the order in which they were meant.
  function write(what) {
    const body = JSON.stringify(Object.assign({ id: Date.now().toString(36) + "-" + (written += 1) }, what));
    turn = turn.then(() => deliver(body)).then((done) => {
      say("unsent", done || over ? "" : "chat.unsent");
      return done;
    });
    return turn;
  }

  // What they read from here on, once they have looked at it.
  function tell() {
    const { language } = dictionary;
    if (language !== told) write({ language });
    told = language;
  }

  function tap(phrase) {
    write({ phrase, language: dictionary.language });
  }

  function spoken() {
    const { labels, guest } = dictionary;
    by("text").placeholder = labels.write;
    by("text").setAttribute("aria-label", labels.write);
    by("send").textContent = labels.send;
    by("phrases").textContent = "";
    Object.keys(guest).forEach((phrase) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = guest[phrase];
      button.dataset.phrase = phrase;
      button.addEventListener("click", () => tap(phrase));
      by("phrases").append(button);
    });
    if (told) tell();
  }

  function heard(line) {
    if (line.number <= shown) return;
    shown = line.number;
    if (!line.text && !line.phrase) return;
    const item = document.createElement("div");
    const mine = line.participant_id === joined.participant_id;
    const known = line.phrase && (dictionary.guest[line.phrase] || dictionary.host[line.phrase]);
    item.className = mine ? "line own" : "line";
    item.dir = "auto";
    item.lang = known ? dictionary.language : line.language;
    item.textContent = line.text || known || line.words;
    if (line.english && line.english !== item.textContent) {
      const english = document.createElement("small");
      english.lang = "en";
      english.dir = "ltr";
      english.textContent = line.english;
      item.append(english);
    }
    by("lines").append(item);
    by("lines").scrollTop = by("lines").scrollHeight;
    if (!mine && by("chat").hidden) fresh(true);
  }

  // Who looks over a shoulder reads nothing until it is opened.
  function fresh(is) {
    by("talk").dataset.fresh = is ? "yes" : "no";
    say("fresh", is ? "talk.fresh" : "");
  }

  const sheet = openSheet("chat", "talk", "less", (isOpen) => {
    by("controls").hidden = isOpen;
    if (!isOpen) return;
    fresh(false);
    tell();
    by("lines").scrollTop = by("lines").scrollHeight;
  });

  // Out of the page, until it shows the call again; what was half written is gone.
  let away = [];
  function rest() {
    away = away.concat(Array.from(by("lines").childNodes));
    put("lines", "");
    by("text").value = "";
    sheet.shut();
  }

  function wake() {
    away.forEach((line) => by("lines").append(line));
    away = [];
  }

  function close() {
    over = true;
    listeners.forEach((remove) => remove());
    ["lines", "phrases"].forEach((id) => put(id, ""));
    say("unsent", "");
    by("text").value = "";
    sheet.end();
    fresh(false);
  }

  on(document, "spoken", spoken);
  on(by("say"), "submit", (event) => {
    event.preventDefault();
    const text = by("text").value;
    if (!text.trim()) return;
    by("text").value = "";
    // What wasn't sent is not lost.
    write({ text, language: dictionary.language }).then((done) => { if (!done && !over && !by("text").value) by("text").value = text; });
  });
  spoken();
  return { heard, rest, wake, close, open: sheet.open, write: tap };
}
