// What is written: by hand, or by a tap on a phrase in one's own language. Only what came back is shown: so it is kept.
const LANGUAGES = { en: "English", cy: "Cymraeg", pl: "Polski", ur: "اردو", pa: "ਪੰਜਾਬੀ", bn: "বাংলা", ar: "العربية", ro: "Română", so: "Soomaali", uk: "Українська" };
const WRITE_AGAIN = 800;

function openChat(joined) {
  const by = (id) => document.getElementById(id);
  let over = false;
  let shown = 0;
  let written = 0;
  let turn = Promise.resolve();
  let own = null;
  const listeners = [];
  const on = (id, event, act) => { by(id).addEventListener(event, act); listeners.push(() => by(id).removeEventListener(event, act)); };

  // Sent again until it is answered: it has a name of its own, and is written once.
  async function deliver(body) {
    while (!over) {
      try {
        const answer = await fetch("/chat", {
          method: "POST",
          headers: { "Content-Type": "application/json", Authorization: "Bearer " + joined.token },
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
      by("unsent").textContent = done || over ? "" : "That wasn’t sent.";
      return done;
    });
    return turn;
  }

  async function choose(language) {
    try {
      const answer = await fetch("/phrases/" + language + ".json");
      own = await answer.json();
    } catch (error) {
      by("unsent").textContent = "The phrases can’t be had. Check your signal and try again.";
      return;
    }
    by("language").value = language;
    by("chat").lang = by("phrases").lang = language;
    by("chat").dir = own.dir;
    by("text").placeholder = own.labels.write;
    by("text").setAttribute("aria-label", own.labels.write);
    by("send").textContent = own.labels.send;
    by("phrases").textContent = "";
    Object.keys(own.guest).forEach((phrase) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = own.guest[phrase];
      button.dataset.phrase = phrase;
      button.addEventListener("click", () => write({ phrase, language: own.language }));
      by("phrases").append(button);
    });
    write({ language });
  }

  function heard(line) {
    if (line.number <= shown) return;
    shown = line.number;
    if (!line.text && !line.phrase) return;
    const item = document.createElement("div");
    const mine = line.participant_id === joined.participant_id;
    const known = own && line.phrase && (own.guest[line.phrase] || own.host[line.phrase]);
    item.className = mine ? "line own" : "line";
    item.dir = "auto";
    item.lang = known ? own.language : line.language;
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
    by("talk").textContent = is ? "New message" : "Can’t talk? Type";
  }

  function open(isOpen) {
    by("chat").hidden = !isOpen;
    by("talk").setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) return by("talk").focus();
    fresh(false);
    by("text").focus();
    const spoken = (navigator.language || "en").slice(0, 2);
    if (!own) choose(LANGUAGES[spoken] ? spoken : "en");
  }

  function close() {
    over = true;
    listeners.forEach((remove) => remove());
    ["lines", "phrases", "unsent"].forEach((id) => { by(id).textContent = ""; });
    by("text").value = "";
    by("chat").hidden = true;
    fresh(false);
  }

  by("language").textContent = "";
  Object.keys(LANGUAGES).forEach((language) => by("language").append(new Option(LANGUAGES[language], language)));
  on("talk", "click", () => open(true));
  on("less", "click", () => open(false));
  on("language", "change", () => choose(by("language").value));
  on("say", "submit", (event) => {
    event.preventDefault();
    const text = by("text").value;
    if (!text.trim() || !own) return;
    by("text").value = "";
    // What wasn't sent is not lost.
    write({ text, language: own.language }).then((done) => { if (!done && !over && !by("text").value) by("text").value = text; });
  });
  return { heard, close };
}
