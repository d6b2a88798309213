// What slides over the picture, never over the ways out: opened by a button, and closed by the same one, by its own, by Escape or by a
// tap beside it. One at a time. `turned` hears of each opening and closing.
let shutOther = () => {};

function openSheet(id, opener, closer, turned = () => {}) {
  const ends = [];

  function on(target, event, act) {
    target.addEventListener(event, act);
    ends.push(() => target.removeEventListener(event, act));
  }

  function turn(isOpen) {
    if (isOpen !== by(id).hidden) return;
    if (isOpen) {
      shutOther();
      shutOther = shut;
    }
    by(id).hidden = !isOpen;
    by(opener).setAttribute("aria-expanded", String(isOpen));
    turned(isOpen);
    by(isOpen ? id : opener).focus();
  }

  function shut() {
    turn(false);
  }

  // Nothing is to be seen of a tap on the corner.
  const beside = ({ target }) => ![id, opener, "corner"].some((one) => by(one).contains(target));
  on(by(opener), "click", () => turn(by(id).hidden));
  on(by(closer), "click", shut);
  on(document, "keydown", (event) => { if (event.key === "Escape") shut(); });
  on(document, "pointerdown", (event) => { if (beside(event)) shut(); });
  return { open: () => turn(true), shut, end: () => { shut(); ends.forEach((end) => end()); } };
}
