// Lists that are told anew again and again, such as who is at the desk.
//
// A press is lost if what it began on is gone when it ends, so nothing changes in a list under a finger that is down on it; and whoever has the
// focus on a button keeps it on that one.

/** What is held for longer is no press: nobody's news waits for it. */
const LONGEST_MS = 1000;

/** Where a finger, a mouse's button or the space bar is down. */
let pressed: Node | undefined;
let over = 0;
const waiting = new Map<HTMLElement, () => void>();

function down(event: Event): void {
  if (event instanceof KeyboardEvent && event.key !== " ") return;
  pressed = event.target as Node;
  clearTimeout(over);
  over = window.setTimeout(tell, LONGEST_MS);
}

/** The click comes right behind it. */
function up(): void {
  if (!pressed) return;
  clearTimeout(over);
  over = window.setTimeout(tell);
}

function tell(): void {
  pressed = undefined;
  const all = [...waiting.values()];
  waiting.clear();
  for (const one of all) one();
}

for (const begins of ["pointerdown", "keydown"]) document.addEventListener(begins, down, true);
for (const ends of ["pointerup", "pointercancel", "keyup"]) document.addEventListener(ends, up, true);

/** Shows these rows, now or when the press that is under way in the list is over. Where the button that has the focus is gone, `next` has it. */
export function fill(list: HTMLElement, rows: HTMLElement[], next?: () => HTMLElement): void {
  if (pressed && list.contains(pressed)) return void waiting.set(list, () => fill(list, rows, next));
  waiting.delete(list);
  const held = document.activeElement;
  const had = held instanceof HTMLElement && held !== list && list.contains(held) ? held : undefined;
  list.replaceChildren(...rows);
  if (!had) return;
  const same = [...list.querySelectorAll<HTMLElement>(had.tagName)].find((one) => isSame(one.dataset, had.dataset));
  (same ?? next?.())?.focus();
}

/** Shows none any more, at once: they are not for the next to see. */
export function clear(list: HTMLElement): void {
  waiting.delete(list);
  list.replaceChildren();
}

/** Buttons are told apart by what they do, and to whom or what. */
function isSame(one: DOMStringMap, other: DOMStringMap): boolean {
  const keys = Object.keys(other);
  return keys.length > 0 && keys.length === Object.keys(one).length && keys.every((key) => one[key] === other[key]);
}
