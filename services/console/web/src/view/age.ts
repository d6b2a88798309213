// How long something has been so: told by the clock, once a second, for as long as it is on the page.
import { make } from "../dom";
import { duration } from "../format";

/** A new element that says how long ago `since` was, and goes on saying so. */
export function age(tag: string, since: Date, attributes: Record<string, string> = {}, now = Date.now()): HTMLElement {
  return make(tag, duration(now - since.getTime()), { ...attributes, "data-since": String(since.getTime()) });
}

/** Once a second. */
export function tickAges(now = Date.now()): void {
  for (const one of document.querySelectorAll<HTMLElement>("[data-since]")) {
    const told = duration(now - Number(one.dataset.since));
    if (one.textContent !== told) one.textContent = told;
  }
}
