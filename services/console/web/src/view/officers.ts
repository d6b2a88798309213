// Who is at the desk, and what they have: whoever is in a call first, for that is what can be watched, and given to somebody else.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../dom";
import { hour } from "../format";
import type { ExhibitSummary } from "../gen/alcove/evidence/v1/service_pb";
import { type OfficerAtDesk, Presence, type Shift } from "../gen/alcove/transfer/v1/service_pb";
import { age } from "./age";
import { fill } from "./rows";

let there: OfficerAtDesk[] = [];
let shifts: Shift[] = [];
/** Nothing until it is heard which calls are recorded. */
let recorded: Map<string, ExhibitSummary> | undefined;

export function renderOfficers(officers: OfficerAtDesk[]): void {
  there = officers;
  draw();
}

/** What is known of the calls that go on: since when, and under which reference. One that isn't recorded has neither. */
export function renderRecorded(calls: ExhibitSummary[] | undefined): void {
  recorded = calls && new Map(calls.map((one) => [one.callId, one]));
  draw();
}

/** Whose shift it is, by the desk's own list: until when, and who should be there but isn't. */
export function renderShifts(all: Shift[]): void {
  shifts = all;
  draw();
}

function shiftOf(officerId: string): Shift | undefined {
  const now = Date.now();
  return shifts.find(({ of, from, until }) => of === officerId && from && until && timestampDate(from).getTime() <= now && now < timestampDate(until).getTime());
}

/** Who could be given a call now. */
export function free(officers: OfficerAtDesk[]): OfficerAtDesk[] {
  return officers.filter((one) => one.presence === Presence.FREE && one.callId === "");
}

type Stands = "call" | "offer" | "free" | "away";
const WORDS: Record<Stands, string> = { call: "In a call", offer: "Has an offer", free: "Free", away: "Away" };

export function stands(one: OfficerAtDesk): Stands {
  if (one.callId) return one.isOffer ? "offer" : "call";
  return one.presence === Presence.FREE ? "free" : "away";
}

function draw(): void {
  const order = Object.keys(WORDS);
  const sorted = [...there].sort((a, b) => order.indexOf(stands(a)) - order.indexOf(stands(b)) || a.officerId.localeCompare(b.officerId));
  const missing = [...new Set(shifts.map(({ of }) => of))].filter((id) => shiftOf(id) && !there.some((one) => one.officerId === id)).sort();
  fill(get("officers"), [...sorted.map(item), ...missing.map(absent)]);
  get("officers-none").hidden = there.length + missing.length > 0;
  say("officers-count", there.length === 0 ? "" : String(there.length));
}

function item(one: OfficerAtDesk): HTMLElement {
  const how = stands(one);
  const li = make("li", "", { "data-testid": "officer", "data-stands": how });
  const doing = make("span", WORDS[how], { class: "officer-doing" });
  li.append(make("strong", one.officerId, { class: "officer-name" }), doing);
  if (how !== "call") {
    li.append(...onShift(one.officerId));
    return li;
  }
  const exhibit = recorded?.get(one.callId);
  if (exhibit?.openedAt) doing.append(" ", age("span", timestampDate(exhibit.openedAt), { class: "figures" }));
  const acts = make("span", "", { class: "row" });
  acts.append(button(one, "watch", "Watch"), button(one, "give", "Give…"));
  if (recorded) li.append(make("span", exhibit?.reference || "Not recorded", { class: "hush officer-reference" }));
  li.append(acts);
  return li;
}

/** On shift, and not at the desk. */
function absent(officerId: string): HTMLElement {
  const li = make("li", "", { "data-testid": "absent", "data-stands": "absent" });
  li.append(make("strong", officerId, { class: "officer-name" }), make("span", "Not at the desk", { class: "officer-doing" }), ...onShift(officerId));
  return li;
}

function onShift(officerId: string): HTMLElement[] {
  const shift = shiftOf(officerId);
  return shift?.until ? [make("span", `On shift until ${hour(timestampDate(shift.until))}`, { class: "hush officer-reference" })] : [];
}

function button(one: OfficerAtDesk, act: string, words: string): HTMLElement {
  const attributes = { type: "button", class: "govuk-button govuk-button--secondary", "data-act": act, "data-officer": one.officerId, "data-call": one.callId };
  const it = make("button", words, attributes);
  it.append(make("span", `: the call of ${one.officerId}`, { class: "govuk-visually-hidden" }));
  return it;
}
