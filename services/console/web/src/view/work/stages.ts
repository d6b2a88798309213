// What becomes of a Clare's Law application, stage by stage, in its referral's card: what was recorded, and the form of what is next. What is
// done about it is in ../../work/stages.ts.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../../dom";
import { moment } from "../../format";
import { CheckKind, type Disclosure, DisclosureStageSchema, DisclosureState, type DisclosureStage } from "../../gen/alcove/referral/v1/disclosure_pb";
import { type Referral, ReferralState } from "../../gen/alcove/referral/v1/help_pb";
import { fromField, toField } from "../../typed-time";

type Kind = "check" | "decision" | "plan" | "told";

export const isByStages = (kind: string): boolean => kind.startsWith("clares-law-");

const CHECKS: [CheckKind, string][] = [
  [CheckKind.IDENTITY, "Who they are"],
  [CheckKind.SAFETY, "Whether it is safe for them"],
  [CheckKind.LOCAL_RECORDS, "Our own records"],
  [CheckKind.NATIONAL_RECORDS, "National records"],
  [CheckKind.OTHER_FORCES, "Other forces"],
  [CheckKind.PARTNERS, "Partners"],
];
const STATES: Record<DisclosureState, string> = {
  [DisclosureState.UNSPECIFIED]: "Applied for",
  [DisclosureState.APPLIED]: "Applied for",
  [DisclosureState.TO_BE_PLANNED]: "To be disclosed: plan how",
  [DisclosureState.PLANNED]: "Planned",
  [DisclosureState.DISCLOSED]: "Disclosed",
  [DisclosureState.REFUSED]: "Nothing is disclosed: tell them so",
  [DisclosureState.TOLD_OF_REFUSAL]: "Told that nothing is disclosed",
};
const NEXT: Partial<Record<DisclosureState, Kind>> = { [DisclosureState.TO_BE_PLANNED]: "plan", [DisclosureState.PLANNED]: "told", [DisclosureState.REFUSED]: "told" };
const KINDS: [Kind, string][] = [["check", "Something was checked"], ["decision", "It was decided"], ["plan", "How it is told is planned"], ["told", "It was told"]];

interface Line {
  of: Kind;
  key: string;
  label: string;
  /** Its options, or what kind of field it is. */
  as: [string, string][] | "area" | "text" | "time" | "tick";
  max?: number;
  needed?: boolean;
}
const LINES: Line[] = [
  { of: "check", key: "kind", label: "What was checked", as: CHECKS.map(([kind, words]) => [String(kind), words]) },
  { of: "check", key: "result", label: "What it came to", as: "area", max: 1000, needed: true },
  { of: "decision", key: "disclose", label: "Decided", as: [["", "Choose…"], ["yes", "To disclose"], ["no", "To disclose nothing"]], needed: true },
  { of: "decision", key: "reasons", label: "Why: lawful, necessary, proportionate", as: "area", max: 2000, needed: true },
  { of: "decision", key: "decided_by", label: "Who decided", as: "text", max: 100, needed: true },
  { of: "plan", key: "at", label: "When", as: "time", needed: true },
  { of: "plan", key: "way", label: "Where, or by which way", as: "text", max: 200, needed: true },
  { of: "plan", key: "present", label: "Who is there, and how it is safe", as: "text", max: 200, needed: true },
  { of: "told", key: "at", label: "When", as: "time", needed: true },
  { of: "told", key: "to", label: "Who told it to whom", as: "text", max: 200, needed: true },
  { of: "told", key: "unrecorded", label: "That part of the session was not recorded, on purpose", as: "tick" },
  { of: "told", key: "immediate_protection", label: "Before it was decided and planned: why it could not wait", as: "area", max: 1000 },
];

const formOf = (name: string) => get<HTMLFormElement>(`${name}-stages-form`);
const field = (name: string, { of, key }: Pick<Line, "of" | "key">) => get<HTMLInputElement>(`${name}-${of}-${key}`);
const chosen = (name: string) => get<HTMLSelectElement>(`${name}-stage`).value as Kind;

export function drawStages(name: string): HTMLElement {
  const box = make("div", "", { class: "stages", id: `${name}-stages` });
  const form = make("form", "", { class: "stages-form", id: `${name}-stages-form`, "data-stages": name, "data-unsaved": "no", novalidate: "" });
  const which = make("select", "", { class: "govuk-select", id: `${name}-stage`, "data-stage": "" });
  which.append(...KINDS.map(([kind, words]) => make("option", words, { value: kind })));
  form.append(make("label", "Write down", { class: "govuk-label", for: which.id }), which, ...LINES.map((line) => control(name, line)));
  const row = make("div", "", { class: "row" });
  row.append(make("button", "Write it down", { type: "submit", class: "govuk-button govuk-button--secondary" }));
  form.append(row, make("p", "", { class: "trouble", id: `${name}-stages-trouble`, role: "alert" }));
  box.append(make("p", "", { class: "stages-state", id: `${name}-stages-state` }), make("ol", "", { class: "r-way", id: `${name}-stages-way` }), form);
  return box;
}

function control(name: string, { of, key, label, as, max }: Line): HTMLElement {
  const id = `${name}-${of}-${key}`;
  const box = make("div", "", { class: "stage-line", "data-of": of, "data-line": key });
  if (as === "tick") {
    const tick = make("label", "", { class: "p-tick" });
    tick.append(make("input", "", { id, type: "checkbox" }), make("span", label));
    box.append(tick);
    return box;
  }
  box.append(make("label", label, { class: "govuk-label", for: id }));
  if (Array.isArray(as)) {
    const select = make("select", "", { class: "govuk-select", id });
    select.append(...as.map(([value, words]) => make("option", words, { value })));
    box.append(select);
  } else if (as === "area") box.append(make("textarea", "", { class: "govuk-textarea", id, rows: "2", maxlength: String(max), autocomplete: "off" }));
  else box.append(make("input", "", { class: "govuk-input", id, autocomplete: "off", ...(as === "time" ? { type: "datetime-local" } : { maxlength: String(max) }) }));
  return box;
}

export function renderStages(name: string, { state: referral }: Referral, disclosure: Disclosure | undefined): void {
  const state = disclosure?.state ?? DisclosureState.APPLIED;
  const box = get(`${name}-stages`);
  say(`${name}-stages-state`, STATES[state]);
  get(`${name}-stages-way`).replaceChildren(...(disclosure?.stages ?? []).map((stage) => make("li", inWords(stage))));
  formOf(name).hidden = state === DisclosureState.TOLD_OF_REFUSAL || referral === ReferralState.WITHDRAWN;
  if (box.dataset.state === String(state)) return;
  box.dataset.state = String(state);
  // What is next is chosen, unless somebody is at something else.
  if (formOf(name).dataset.unsaved !== "yes") get<HTMLSelectElement>(`${name}-stage`).value = NEXT[state] ?? "check";
  chooseStage(name);
}

/** The lines of what is chosen, and no others. */
export function chooseStage(name: string): void {
  const kind = chosen(name);
  const state = Number(get(`${name}-stages`).dataset.state);
  const isPlanned = state === DisclosureState.PLANNED || state === DisclosureState.REFUSED;
  for (const one of formOf(name).querySelectorAll<HTMLElement>("[data-of]")) one.hidden = one.dataset.of !== kind || (one.dataset.line === "immediate_protection" && isPlanned);
  const at = field(name, { of: "told", key: "at" });
  if (kind === "told" && at.value === "") at.value = toField(new Date());
}

/** The first line that is needed and has nothing in it, by its label. */
export function lackingIn(name: string): string {
  const line = LINES.find((one) => one.of === chosen(name) && one.needed && field(name, one).value.trim() === "");
  if (!line) return "";
  field(name, line).focus();
  return line.label;
}

export function stageOf(name: string): DisclosureStage {
  const kind = chosen(name);
  const text = (key: string) => field(name, { of: kind, key }).value.trim();
  const at = () => {
    const typed = fromField(text("at"));
    return typed && timestampFromDate(typed);
  };
  const stage = ((): Exclude<MessageInitShape<typeof DisclosureStageSchema>["stage"], undefined> => {
    switch (kind) {
      case "check":
        return { case: kind, value: { kind: Number(text("kind")), result: text("result") } };
      case "decision":
        return { case: kind, value: { disclose: text("disclose") === "yes", reasons: text("reasons"), decidedBy: text("decided_by") } };
      case "plan":
        return { case: kind, value: { at: at(), way: text("way"), present: text("present") } };
      case "told": {
        const line = formOf(name).querySelector<HTMLElement>('[data-line="immediate_protection"]')!;
        return { case: kind, value: { at: at(), to: text("to"), unrecorded: field(name, { of: kind, key: "unrecorded" }).checked, immediateProtection: line.hidden ? "" : text("immediate_protection") } };
      }
    }
  })();
  return create(DisclosureStageSchema, { stage });
}

/** It was taken: its lines begin anew, and what stands in those of another stage stays. */
export function clearStage(name: string): void {
  const kind = chosen(name);
  for (const line of LINES.filter(({ of }) => of === kind)) {
    const one = field(name, line);
    if (line.as === "tick") one.checked = false;
    else one.value = Array.isArray(line.as) ? line.as[0]![0] : "";
  }
  stageTyped(name, LINES.some((line) => (line.as === "area" || line.as === "text") && field(name, line).value !== ""));
  get<HTMLSelectElement>(`${name}-stage`).value = NEXT[Number(get(`${name}-stages`).dataset.state) as DisclosureState] ?? kind;
  chooseStage(name);
}

/** Why it wasn't written down, beside what was pressed. */
export function stageTrouble(name: string, words: string): void {
  const said = `${name}-stages-trouble`;
  if (!document.getElementById(said)) return;
  say(said, words);
  if (words) get(said).scrollIntoView({ block: "nearest" });
}

export const stageTyped = (name: string, is: boolean) => void (formOf(name).dataset.unsaved = is ? "yes" : "no");

function inWords({ stage, officerId, at }: DisclosureStage): string {
  const when = (stamp: typeof at) => (stamp ? moment(timestampDate(stamp)) : "");
  const what = (() => {
    switch (stage.case) {
      case "check":
        return `${CHECKS.find(([kind]) => kind === stage.value.kind)?.[1] ?? "Checked"}: ${stage.value.result}`;
      case "decision":
        return `${stage.value.decidedBy} decided to disclose${stage.value.disclose ? "" : " nothing"}: ${stage.value.reasons}`;
      case "plan":
        return `planned for ${when(stage.value.at)}: ${stage.value.way}; ${stage.value.present}`;
      case "told":
        return [`told ${when(stage.value.at)}: ${stage.value.to}`, stage.value.unrecorded && "not recorded, on purpose", stage.value.immediateProtection && `could not wait: ${stage.value.immediateProtection}`].filter(Boolean).join("; ");
      default:
        return "";
    }
  })();
  return `${when(at)}, ${officerId}: ${what}`;
}
