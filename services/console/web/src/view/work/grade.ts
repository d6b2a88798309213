// The grade: what is due is chosen already, what is less can't be, and what is more is said why. What is done about it is in
// ../../work/risk.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../../dom";
import { risk, riskTag, time } from "../../format";
import { RiskGrade } from "../../gen/alcove/intake/v1/service_pb";
import { type Finding, GradedBy, type Grading, type Match, type QuestionSet, Verdict } from "../../gen/alcove/referral/v1/risk_pb";

export interface Graded {
  finding: Finding | undefined;
  grading: Grading | undefined;
  /** The assessment's. */
  version: bigint;
  set: QuestionSet | undefined;
  matches: Match[];
}

const GRADES = [RiskGrade.STANDARD, RiskGrade.MEDIUM, RiskGrade.HIGH];
const BY: Record<GradedBy, string> = {
  [GradedBy.UNSPECIFIED]: "",
  [GradedBy.COUNT]: "by the answers",
  [GradedBy.ESCALATION]: "by earlier calls",
  [GradedBy.JUDGEMENT]: "by judgement",
};

let least = RiskGrade.UNSPECIFIED;
let before = RiskGrade.UNSPECIFIED;
let contradicts = false;
/** The officer has chosen another than the one that is due. */
let chosen = false;

const radios = () => [...get("grade-choices").querySelectorAll<HTMLInputElement>("input")];
export const gradeChosen = (): RiskGrade => Number(radios().find((one) => one.checked)?.value ?? 0);
export const reasonNeeded = () => gradeChosen() > least || gradeChosen() < before || contradictionCounts();
/** What contradicts is no matter when it is graded the highest anyway. */
const contradictionCounts = () => contradicts && gradeChosen() < RiskGrade.HIGH;
export const gradeTrouble = (words: string) => say("grade-trouble", words);

export function clearGrade(): void {
  [least, before, contradicts, chosen] = [RiskGrade.UNSPECIFIED, RiskGrade.UNSPECIFIED, false, false];
  get<HTMLTextAreaElement>("grade-reason").value = "";
  for (const id of ["grade-given", "grade-trouble", "grade-open"]) say(id, "");
  get("contradictions").replaceChildren();
  get("grade-form").hidden = true;
  get("grade-fast-track").hidden = true;
  get("grade-choices").replaceChildren(
    ...GRADES.map((grade) => {
      const item = make("div", "", { class: "govuk-radios__item" });
      const input = make("input", "", { type: "radio", class: "govuk-radios__input", name: "grade", id: `grade-${risk(grade).key}`, value: String(grade) });
      item.append(input, make("label", risk(grade).word, { class: "govuk-label govuk-radios__label", for: input.id }));
      return item;
    }),
  );
}

export function renderGrade({ finding, grading, version, set, matches }: Graded): void {
  get("grade-form").hidden = !finding;
  contradictions(finding, set);
  given(grading, version);
  if (!finding) return;
  const due = Math.max(finding.least, grading?.grade ?? 0);
  // What was chosen by judgement stays, unless it would be too low now.
  if (due !== Math.max(least, before) && gradeChosen() < due) chosen = false;
  [least, before] = [finding.least, grading?.grade ?? RiskGrade.UNSPECIFIED];
  for (const radio of radios()) {
    radio.disabled = Number(radio.value) < least;
    if (!chosen) radio.checked = Number(radio.value) === due;
  }
  if (!radios().some((one) => one.checked && !one.disabled)) for (const radio of radios()) radio.checked = Number(radio.value) === due;
  const open = matches.filter((one) => one.verdict === Verdict.UNSPECIFIED).length;
  const asked = finding.unanswered.length;
  say("grade-open", [asked > 0 ? `${asked} not asked yet` : "", open > 0 ? `${open} earlier ${open === 1 ? "call" : "calls"} to be looked at` : ""].filter(Boolean).join(", "));
  renderReason();
}

/** The officer has chosen a grade. */
export function chooseGrade(): void {
  chosen = true;
  renderReason();
}

function renderReason(): void {
  const grade = gradeChosen();
  const why = grade > least ? `Why ${risk(grade).word.toLowerCase()}, above what the answers say` : grade < before ? "Why lower than before" : contradictionCounts() ? "Why contradicting answers are both right" : "Reason (if you want to give one)";
  say("grade-why", why);
  get("grade-reason").setAttribute("aria-required", String(reasonNeeded()));
}

function given(grading: Grading | undefined, version: bigint): void {
  const box = get("grade-given");
  get("grade-fast-track").hidden = !grading?.fastTrackProposed;
  if (!grading) return box.replaceChildren();
  const by = [BY[grading.by], grading.officerId, grading.at ? time(timestampDate(grading.at)) : ""].filter(Boolean).join(", ");
  const words = `Graded ${risk(grading.grade).word}: ${by}`;
  if (box.dataset.words === `${words}${version}` && box.children.length > 0) return;
  box.dataset.words = `${words}${version}`;
  box.replaceChildren(riskTag(grading.grade, " risk"), make("span", by));
  if (grading.reason) box.append(make("p", `“${grading.reason}”`, { class: "grade-said" }));
  if (grading.version !== version) box.append(make("p", "Answers were saved since: give it again.", { class: "again" }));
}

function contradictions(finding: Finding | undefined, set: QuestionSet | undefined): void {
  const all = finding?.contradictions ?? [];
  contradicts = all.length > 0;
  const box = get("contradictions");
  const state = all.map(({ text, questions }) => `${text}:${questions.join()}`).join("|");
  if (box.dataset.state === state) return;
  box.dataset.state = state;
  box.replaceChildren(
    ...all.map(({ text, questions }) => {
      const li = make("li");
      li.append(make("p", text, { class: "contradiction" }));
      for (const key of questions) {
        const words = set?.questions.find((one) => one.key === key)?.text ?? key;
        li.append(make("button", words, { type: "button", class: "link", "data-go": key }));
      }
      return li;
    }),
  );
}
