// Who is on shift and when, day by day, and the form that plans one. What is done about it is in ../shifts.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../dom";
import { span, wholeDay } from "../format";
import type { OfficerAtDesk, Shift } from "../gen/alcove/transfer/v1/service_pb";
import { fromField, toField } from "../typed-time";
import { only, showFaults, typed, type Faults } from "./fields";
import { fill } from "./rows";

const SHIFT_FIELDS = ["shift-of", "shift-from", "shift-until"] as const;
const LONGEST = 16 * 3_600_000;

export const spanOf = ({ from, until }: Shift, now?: Date) => (from && until ? span(timestampDate(from), timestampDate(until), now) : "—");

/** The day is said above them. */
const within = (shift: Shift) => spanOf(shift, shift.from && timestampDate(shift.from));

export function renderDays(shifts: Shift[]): void {
  const parts: HTMLElement[] = [];
  let day = "";
  for (const shift of shifts) {
    const its = shift.from ? wholeDay(timestampDate(shift.from)) : "";
    if (its !== day || parts.length === 0) parts.push(make("h3", (day = its), { class: "govuk-heading-s" }), make("ul", "", { class: "shift-rows" }));
    parts.at(-1)!.append(row(shift));
  }
  fill(get("shift-days"), parts);
  get("shifts-none").hidden = shifts.length > 0;
}

function row(shift: Shift): HTMLElement {
  const li = make("li", "", { "data-testid": "shift" });
  const acts = make("span", "", { class: "row" });
  for (const [act, words] of [["change", "Change…"], ["cancel", "Cancel…"]] as const) {
    const button = make("button", words, { type: "button", class: "govuk-button govuk-button--secondary", "data-act": act, "data-shift": shift.shiftId });
    button.append(make("span", `: ${shift.of}, ${spanOf(shift)}`, { class: "govuk-visually-hidden" }));
    acts.append(button);
  }
  li.append(make("strong", within(shift), { class: "figures" }), make("span", shift.of, { class: "shift-of" }), acts);
  return li;
}

/** For a new one, or for one that gets another time. */
export function renderShiftForm(shift?: Shift): void {
  const form = get<HTMLFormElement>("shift-form");
  form.reset();
  form.dataset.shift = shift?.shiftId ?? "";
  showFaults(SHIFT_FIELDS, {});
  const of = get<HTMLInputElement>("shift-of");
  of.value = shift?.of ?? "";
  of.readOnly = shift !== undefined;
  if (shift?.from) get<HTMLInputElement>("shift-from").value = toField(timestampDate(shift.from));
  if (shift?.until) get<HTMLInputElement>("shift-until").value = toField(timestampDate(shift.until));
  say("shift-what", shift ? "Another time for this shift" : "New shift");
  say("shift-go", shift ? "Change the shift" : "Plan the shift");
  get("shift-leave").hidden = shift === undefined;
  if (shift) get("shift-from").focus();
}

export interface Planned {
  shiftId: string;
  of: string;
  from: Date;
  until: Date;
}

/** Nothing, when something is missing or wrong: then it is said by its field. */
export function plannedShift(now = Date.now()): Planned | undefined {
  const [of, from, until] = [typed("shift-of"), fromField(typed("shift-from")), fromField(typed("shift-until"))];
  const faults = only({
    "shift-of": !of && "Whose shift is it?",
    "shift-from": !from && "When does it begin?",
    "shift-until": !until ? "When does it end?" : from && wrongEnd(from, until, now),
  });
  if (showFaults(SHIFT_FIELDS, faults) || !from || !until) return undefined;
  return { shiftId: get("shift-form").dataset.shift ?? "", of, from, until };
}

function wrongEnd(from: Date, until: Date, now: number): string | undefined {
  if (until <= from) return "It ends before it begins.";
  if (until.getTime() - from.getTime() > LONGEST) return "A shift is at most 16 hours long.";
  return until.getTime() <= now ? "That is over." : undefined;
}

export const refusedShift = (faults: Faults) => showFaults(SHIFT_FIELDS, faults);

/** Whoever is at the desk can be chosen; anybody else is typed. */
export function renderIds(officers: OfficerAtDesk[]): void {
  get("officer-ids").replaceChildren(...officers.map(({ officerId }) => make("option", "", { value: officerId })));
}
