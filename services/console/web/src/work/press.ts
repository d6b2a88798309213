// Between the press of a mouse and its letting go nothing moves from under it: what moved there would get the click, or nothing would. So
// what would change the screen, because a field is left with the press or a question is gone to, waits for those few moments.
let pressing = false;
const waiting: (() => void)[] = [];

/** Once, of whatever holds buttons. */
export function followPress(list: HTMLElement): void {
  list.addEventListener("pointerdown", (event) => (pressing = (event.target as Element).closest("button") !== null));
  for (const what of ["pointerup", "pointercancel"]) {
    window.addEventListener(what, () => {
      pressing = false;
      // The click comes before.
      setTimeout(() => {
        for (const act of waiting.splice(0)) act();
      });
    });
  }
}

/** At once, or when what is pressed has been let go of. */
export function unpressed(act: () => void): void {
  if (pressing) waiting.push(act);
  else act();
}
