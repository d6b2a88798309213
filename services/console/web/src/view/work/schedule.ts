// The disclosure schedule on screen: a line for each entry, what is new before what was decided. What is done about it is in
// ../../work/schedule.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../../dom";
import { moment, time } from "../../format";
import { type DisclosureSchedule, Handling, type ScheduleEntry } from "../../gen/alcove/referral/v1/package_pb";
import { type Change, clashes, type Said } from "../../work/decided";
import { fold } from "./package";

const HANDLINGS: [Handling, string][] = [
  [Handling.EVIDENCE, "Evidence"],
  [Handling.UNUSED, "Unused (MG6C, the defence gets the list)"],
  [Handling.SENSITIVE, "Unused and sensitive (MG6D)"],
];

export const scheduleTrouble = (words: string) => say("schedule-trouble", words);
export const hideSchedule = (is: boolean) => void (get("schedule-part").hidden = is);

/** Names of entries on the page; their keys have slashes. */
const names = new Map<string, string>();
const id = (key: string, part = "") => `entry-${names.get(key) ?? names.set(key, String(names.size)).get(key)!}${part && `-${part}`}`;
export const entryOf = (within: Element): string => within.closest<HTMLElement>("[data-entry]")?.dataset.entry ?? "";
export const saidOf = (key: string): Said => ({ handling: Number(get<HTMLSelectElement>(id(key, "handling")).value), reason: get<HTMLInputElement>(id(key, "reason")).value.trim() });

export function clearSchedule(): void {
  names.clear();
  get("schedule-entries").replaceChildren();
  for (const one of ["schedule-state", "schedule-trouble"]) say(one, "");
  get("schedule-part").dataset.unsaved = "no";
  fold("schedule", false);
}

export function renderSchedule(now: DisclosureSchedule, said: Map<string, Change>): void {
  const list = get("schedule-entries");
  for (const one of [...list.children] as HTMLElement[]) if (!now.entries.some(({ key }) => key === one.dataset.entry)) one.remove();
  // What is new is to be looked at; of the rest an officer has said already.
  const sorted = now.version === 0 ? now.entries : [...now.entries].sort((a, b) => Number(b.isNew) - Number(a.isNew));
  const held = document.activeElement as HTMLElement | null;
  for (const [n, entry] of sorted.entries()) {
    const one = document.getElementById(id(entry.key)) ?? draw(entry.key);
    if (list.children[n] !== one) list.insertBefore(one, list.children[n] ?? null);
    renderEntry(entry, now.version > 0, said.get(entry.key));
    renderClash(entry, said.get(entry.key), now.officerId);
  }
  if (held && held !== document.activeElement && list.contains(held)) held.focus({ preventScroll: true });
  get("schedule-part").dataset.unsaved = said.size > 0 ? "yes" : "no";
  say("schedule-state", stateWords(now, said.size > 0));
}

function stateWords({ version, officerId, at, current, entries }: DisclosureSchedule, changed: boolean): string {
  if (changed) return "Not saved yet";
  if (version === 0) return "Not saved yet";
  const added = entries.filter(({ isNew }) => isNew).length;
  if (!current) return added > 0 ? `${added} new, to be saved` : "Changed since, to be saved";
  return `Saved ${[at && time(timestampDate(at)), officerId].filter(Boolean).join(", ")}`;
}

function draw(key: string): HTMLElement {
  const li = make("li", "", { id: id(key), class: "entry", "data-entry": key });
  const head = make("p", "", { class: "entry-head" });
  head.append(make("span", "", { id: id(key, "title") }), " ", make("strong", "New", { class: "govuk-tag govuk-tag--yellow", id: id(key, "new") }));
  const select = make("select", "", { class: "govuk-select", id: id(key, "handling"), "aria-labelledby": `${id(key, "how")} ${id(key, "title")}` });
  select.append(...HANDLINGS.map(([value, words]) => make("option", words, { value: String(value) })));
  li.append(
    head,
    make("label", "Handled as", { class: "govuk-label", for: id(key, "handling"), id: id(key, "how") }),
    select,
    make("label", "Why", { class: "govuk-label", for: id(key, "reason"), id: id(key, "why") }),
    make("input", "", { class: "govuk-input", id: id(key, "reason"), maxlength: "500", autocomplete: "off", "aria-labelledby": `${id(key, "why")} ${id(key, "title")}`, "aria-describedby": id(key, "fault") }),
    make("div", "", { class: "clash", id: id(key, "clash") }),
    make("p", "", { class: "trouble", id: id(key, "fault") }),
  );
  return li;
}

function renderEntry({ key, description, at, handling, reason, isNew }: ScheduleEntry, wasSaved: boolean, said: Said | undefined): void {
  say(id(key, "title"), [description, at && moment(timestampDate(at))].filter(Boolean).join(", "));
  get(id(key, "new")).hidden = !isNew || !wasSaved;
  const select = get<HTMLSelectElement>(id(key, "handling"));
  select.value = String(said?.handling ?? handling);
  const field = get<HTMLInputElement>(id(key, "reason"));
  const shown = said?.reason ?? reason;
  // Never under the fingers of who is typing in it.
  if (document.activeElement === field && field.value !== field.defaultValue) return;
  if (field.value !== shown) field.value = shown;
  field.defaultValue = shown;
}

const inWords = ({ handling, reason }: Said) => [HANDLINGS.find(([one]) => one === handling)?.[1] ?? "", reason].filter(Boolean).join(": ");

/** What was decided of it meanwhile, or that it is something else by now, beside what was chosen here. */
function renderClash(entry: ScheduleEntry, change: Change | undefined, savedBy: string): void {
  const box = get(id(entry.key, "clash"));
  const state = change && clashes(entry, change) ? [entry.seen, savedBy, inWords(entry), inWords(change)].join("|") : "";
  if ((box.dataset.state ?? "") === state) return;
  box.dataset.state = state;
  if (!change || state === "") return box.replaceChildren();
  const list = make("dl", "", { class: "clash-both" });
  // Of what is new nobody has said anything yet.
  for (const [who, words] of [["Yours", inWords(change)], [entry.isNew ? "Proposed" : savedBy || "Theirs", inWords(entry)]] as const) list.append(make("dt", who), make("dd", words));
  const row = make("div", "", { class: "row" });
  row.append(...([["mine", "Keep yours"], ["theirs", entry.isNew ? "Take what is proposed" : "Take theirs"]] as const).map(([what, words]) => make("button", words, { type: "button", class: "govuk-button govuk-button--secondary", "data-keep": what })));
  const why = entry.seen === change.on.seen ? `${savedBy || "Somebody else"} has saved this meanwhile.` : "This has itself changed since you chose.";
  box.replaceChildren(make("p", why, { class: "clash-words", role: "alert" }), list, row);
}

export const goToChoice = (key: string): void => {
  fold("schedule", true);
  get(id(key, "clash")).querySelector("button")?.focus();
};

export function entryTrouble(key: string, words: string): void {
  const field = get(id(key, "reason"));
  if (words) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  say(id(key, "fault"), words);
}

export function goToEntry(key: string): void {
  fold("schedule", true);
  get(id(key, "reason")).focus();
}
