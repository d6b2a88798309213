"use strict";
// Every word that the page says, in one language: the browser's own came with the page, and any other is fetched when it is chosen.
const by = (id) => document.getElementById(id);
let dictionary = JSON.parse(by("words").textContent);

const word = (key, count) => dictionary.page[key].replace("{n}", count);

// Nothing is announced again for being the same.
function put(id, text) {
  if (by(id).textContent !== text) by(id).textContent = text;
}

// It says so in any language that is chosen later, too. No key: it says nothing.
function say(id, key) {
  by(id).dataset.say = key;
  put(id, key ? word(key) : "");
}

function speak(next) {
  dictionary = next;
  document.documentElement.lang = next.language;
  document.documentElement.dir = next.dir;
  document.querySelectorAll("[data-say]").forEach((one) => { one.textContent = one.dataset.say ? word(one.dataset.say) : ""; });
  document.querySelectorAll("[data-label]").forEach((one) => one.setAttribute("aria-label", word(one.dataset.label)));
  document.querySelectorAll(".language").forEach((one) => { one.value = next.language; });
  document.dispatchEvent(new Event("spoken"));
}

async function choose(event) {
  const { value, dataset } = event.target;
  try {
    const [answer, words] = await ask("/words/" + value + ".json", {}, POST_WITHIN);
    if (!answer.ok) throw new Error("refused");
    // Another was chosen meanwhile.
    if (event.target.value !== value) return;
    if (by(dataset.trouble).dataset.say === "language.missing") say(dataset.trouble, "");
    speak(JSON.parse(words));
  } catch (error) {
    event.target.value = dictionary.language;
    say(dataset.trouble, "language.missing");
  }
}

document.querySelectorAll(".language").forEach((one) => one.addEventListener("change", choose));
