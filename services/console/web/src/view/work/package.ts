// The package's checklist on screen: each item with its state, what fills it and the way to where it is mended; what is missing first. What
// is done about it is in ../../work/package.ts.
import { get, make, say } from "../../dom";
import { type ChecklistItem, ItemState } from "../../gen/alcove/referral/v1/service_pb";
import { drawNote, renderNote } from "./note";

export type Place = "statement" | "schedule" | "risk" | "history" | "people" | "help" | "pictures" | "consents" | "note";

/** Where an item is mended, and the words on the way there. What isn't here fills by itself. */
const WAYS: Record<string, [Place, string]> = {
  "officer-statement": ["statement", "Open the statement"],
  "disclosure-schedule": ["schedule", "Open the schedule"],
  "risk-checklist": ["risk", "To the questions and the grade"],
  "previous-incidents": ["history", "To the earlier calls"],
  "children-and-neighbours": ["people", "To the people"],
  referrals: ["help", "To the referrals"],
  photographs: ["pictures", "Take one now"],
  consent: ["consents", "To the consents"],
};
/** Of these nobody has anything to do. */
const BY_ITSELF: Record<string, string> = {
  "emergency-call-reference": "Comes from the control room.",
  "initial-account": "Comes with the recording’s seal.",
  "exhibit-list": "Comes with the recording.",
};
/** In the call only. */
const OF_THE_CALL: Place[] = ["pictures", "consents"];

type Mark = "missing" | "present" | "none" | "optional";
const MARKS: Record<Mark, [string, string]> = { missing: ["Missing", "red"], present: ["There", "green"], none: ["Not applicable", "grey"], optional: ["Not yet", "grey"] };

export const lacks = ({ required, state }: ChecklistItem): boolean => required && state === ItemState.MISSING;
export function markOf(item: ChecklistItem): { state: Mark; words: string; colour: string } {
  const state: Mark = lacks(item) ? "missing" : item.state === ItemState.PRESENT ? "present" : item.state === ItemState.NOT_APPLICABLE ? "none" : "optional";
  const [words, colour] = MARKS[state];
  return { state, words, colour };
}
export function missingWords(count: number): string {
  return count === 0 ? "Nothing required is missing." : count === 1 ? "1 required item is missing." : `${count} required items are missing.`;
}

/** Which place an item leads to, as the panel stands. */
export function placeOfItem(item: ChecklistItem, after: boolean, lent: boolean): [Place, string] | undefined {
  if (item.answeredByNote) return ["note", item.state === ItemState.MISSING ? "Say how it stands" : "Say it anew"];
  const way = WAYS[item.key];
  if (!way || (after && OF_THE_CALL.includes(way[0]))) return undefined;
  // Another force's statement and schedule are its own officers' work, and its earlier calls are shown to nobody else.
  return lent && ["statement", "schedule", "history"].includes(way[0]) ? undefined : way;
}

const itemId = (key: string, part = "") => `pack-${key.replace(/[^a-z0-9-]/gi, "_")}${part && `-${part}`}`;
export const itemOf = (within: Element): string => within.closest<HTMLElement>("[data-item]")?.dataset.item ?? "";

export function clearPackage(): void {
  get("pack-items").replaceChildren();
  for (const id of ["pack-score", "pack-state", "package-open"]) say(id, "");
}

/** What is missing comes first: that is what the officer can act on. */
const urgency = (item: ChecklistItem) => (lacks(item) ? 0 : item.state === ItemState.MISSING ? 1 : 2);

export function renderChecklist(items: ChecklistItem[], score: number, lent: boolean): void {
  const list = get("pack-items");
  const missing = items.filter(lacks).length;
  say("package-open", missing > 0 ? String(missing) : "");
  say("pack-score", items.length > 0 ? `${score}%` : "");
  say("pack-state", items.length > 0 ? missingWords(missing) : "The checklist isn’t there yet.");
  const sorted = [...items].sort((a, b) => urgency(a) - urgency(b));
  for (const one of [...list.children] as HTMLElement[]) if (!sorted.some(({ key }) => key === one.dataset.item)) one.remove();
  const held = document.activeElement as HTMLElement | null;
  for (const [n, item] of sorted.entries()) {
    const one = document.getElementById(itemId(item.key)) ?? draw(item);
    // One that is moved loses the focus, so only what changes its place is.
    if (list.children[n] !== one) list.insertBefore(one, list.children[n] ?? null);
    renderItem(item, lent);
  }
  if (held && held !== document.activeElement && list.contains(held)) held.focus({ preventScroll: true });
}

function draw({ key, answeredByNote }: ChecklistItem): HTMLElement {
  const li = make("li", "", { id: itemId(key), class: "pack-item", "data-item": key });
  const way = make("button", "", { type: "button", class: "link", id: itemId(key, "way"), "data-mend": key });
  way.append(make("span", "", { id: itemId(key, "words") }), make("span", "", { class: "govuk-visually-hidden", id: itemId(key, "about") }));
  li.append(
    make("span", "", { class: "item", id: itemId(key, "title") }),
    make("strong", "", { class: "govuk-tag", id: itemId(key, "mark") }),
    make("span", "", { class: "filled", id: itemId(key, "evidence") }),
    way,
  );
  if (answeredByNote) li.append(drawNote(key, itemId(key, "title")));
  return li;
}

function renderItem(item: ChecklistItem, lent: boolean): void {
  const { key, title, evidence } = item;
  const one = get(itemId(key));
  const { state, words, colour } = markOf(item);
  one.dataset.state = state;
  say(itemId(key, "title"), title || key);
  say(itemId(key, "mark"), words);
  get(itemId(key, "mark")).className = `govuk-tag govuk-tag--${colour}`;
  const way = placeOfItem(item, get("work").dataset.at === "after", lent);
  say(itemId(key, "evidence"), evidence || (way || item.state !== ItemState.MISSING ? "" : (BY_ITSELF[key] ?? "")));
  get(itemId(key, "way")).hidden = !way;
  say(itemId(key, "words"), way?.[1] ?? "");
  say(itemId(key, "about"), `: ${title || key}`);
  if (item.answeredByNote) renderNote(item);
}

export const wayOf = (key: string) => document.getElementById(itemId(key, "way"));

/** Opens a part of the package, or shuts it; says whether it is open. */
export function fold(part: "statement" | "schedule", open?: boolean): boolean {
  const head = get(`${part}-head`);
  const is = open ?? head.getAttribute("aria-expanded") !== "true";
  head.setAttribute("aria-expanded", String(is));
  get(`${part}-form`).hidden = !is;
  return is;
}

/** To a part's head, below what stands over the list. */
export function goToPart(part: "statement" | "schedule"): void {
  const head = get(`${part}-head`);
  get("work-package").scrollTop = get(`${part}-part`).offsetTop - get("pack-sum").offsetHeight;
  head.scrollIntoView({ block: "nearest" });
  head.focus({ preventScroll: true });
}
