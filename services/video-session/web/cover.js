// Cover: at one tap the page is something harmless, and nothing of the call is seen or heard. It waits for no answer, and needs no
// network: the other side is told afterwards, until it hears it. The way back is to press and hold the heading.
const HOLD_FOR = 1500;
// Shift so many times, within so long.
const SHIFTS = 3;
const SHIFTS_WITHIN = 5000;

// `tell.hush` takes everything of the call off the screen and out of the loudspeaker, `tell.back` brings it back.
function openCover(tell) {
  const fronts = JSON.parse(by("fronts").textContent);
  const title = document.title;
  let isOn = false;
  let front = fronts[0];
  let token = null;
  let said = { n: 0, what: "back" };

  // What is newer takes its place.
  function deliver() {
    const mine = said;
    sayTap(mine, () => mine === said && token);
  }

  function turn(on) {
    isOn = on;
    document.title = on ? front.title : title;
    document.body.dataset.front = on ? "yes" : "no";
    by("front").hidden = !on;
    by("front").textContent = "";
    if (document.activeElement) document.activeElement.blur();
    window.scrollTo(0, 0);
    if (on) holds(drawFront(front, by("front")));
  }

  function cover() {
    if (isOn) return;
    isOn = true;
    // Whatever goes wrong with one half, the other is done.
    try {
      tell.hush();
    } finally {
      turn(true);
      said = { n: said.n + 1, what: "away" };
      deliver();
    }
  }

  function uncover() {
    turn(false);
    said = { n: said.n + 1, what: "back" };
    deliver();
    tell.back();
  }

  // A finger, or the space bar, that stays on the heading. A short one does what it does on any heading: nothing.
  function holds(heading) {
    let held = 0;
    const end = () => clearTimeout(held);
    const begin = () => { end(); held = setTimeout(uncover, HOLD_FOR); };
    heading.tabIndex = 0;
    heading.addEventListener("pointerdown", begin);
    ["pointerup", "pointercancel", "pointerleave", "blur", "keyup"].forEach((name) => heading.addEventListener(name, end));
    heading.addEventListener("contextmenu", (event) => event.preventDefault());
    heading.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      if (!event.repeat) begin();
    });
  }

  // What somebody is looking at stays what it is.
  function choose(id) {
    front = fronts.find((one) => one.id === id) || front;
  }

  // How far the taps were counted before, and, of a page that was reloaded, whether it was covered.
  function enter(joined) {
    token = joined.token;
    said = { n: joined.tap, what: joined.covered ? "away" : "back" };
    choose(joined.pretext);
    if (joined.covered && !isOn) turn(true);
    if (joined.covered || !isOn) return;
    // It was covered on the way in.
    said = { n: joined.tap + 1, what: "away" };
    deliver();
  }

  let shifts = [];
  document.addEventListener("keydown", (event) => {
    const recent = shifts.filter((at) => event.timeStamp - at < SHIFTS_WITHIN);
    shifts = event.key === "Shift" ? recent.concat(event.timeStamp) : [];
    if (shifts.length >= SHIFTS) cover();
  });
  by("cover").addEventListener("click", cover);
  return {
    enter,
    choose,
    isOn: () => isOn,
    // Whoever carries the call now may not have heard it.
    again: () => { if (said.n) deliver(); },
    leave: () => { token = null; },
  };
}
