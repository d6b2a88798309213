// The questions one under the other, each with its answer, and what all of them come to. What is done about it is in ../../work/risk.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../../dom";
import { clock, risk, riskTag, time } from "../../format";
import type { Answer, Choice, Finding, Question, QuestionSet, QuestionSetName } from "../../gen/alcove/referral/v1/risk_pb";
import type { Standing } from "../../work/kept";

export interface Answered {
  mine: Answer | undefined;
  /** Another officer's, which is to be chosen or not. */
  other: Answer | undefined;
  standing: Standing;
  me: string;
}

const NOT_ASKED = "not-asked";
let questions: Question[] = [];
const id = (key: string, part = "") => `q-${questions.findIndex((one) => one.key === key)}${part}`;
const group = (key: string) => document.getElementById(id(key));

export const keysOf = (): string[] => questions.map(({ key }) => key);
export const questionOf = (within: Element): string => within.closest<HTMLElement>(".question")?.dataset.question ?? "";
/** The question's choice for a key: y, n and d where it has them, or their number. */
export function choiceFor(question: string, key: string): string | undefined {
  const choices = choicesOf(questions.find((one) => one.key === question));
  const named = { y: "yes", n: "no", d: "dont-know" }[key];
  return named ? choices.find((one) => one.key === named)?.key : /^[1-9]$/.test(key) ? choices[Number(key) - 1]?.key : undefined;
}

/** The question whose words or note are being typed, with something in them that isn't saved. */
export function editedQuestion(): string | undefined {
  const field = document.activeElement;
  return field instanceof HTMLTextAreaElement && field.closest(".question") && field.value !== field.defaultValue ? questionOf(field) : undefined;
}

export function clearQuestions(): void {
  questions = [];
  get("questions").replaceChildren();
  get("risk-sum").replaceChildren();
  for (const one of ["risk-open", "risk-set", "risk-count", "risk-why"]) say(one, "");
  get("risk-keys").hidden = true;
  renderSets([], "");
  renderOutdated(false);
}

/** The force has a newer edition of the questions that are asked. */
export const renderOutdated = (is: boolean) => void (get("outdated").hidden = !is);

/** The other sets of the force, if there are any. */
export function renderSets(sets: QuestionSetName[], present: string): void {
  const others = sets.filter(({ id: set }) => set !== present);
  get("sets").hidden = others.length === 0;
  get("sets-other").replaceChildren(...others.map(({ id: set, title }) => make("option", title, { value: set })));
}

export function renderQuestions(set: QuestionSet | undefined): void {
  questions = set?.questions ?? [];
  say("risk-set", set?.title ?? "");
  get("risk-keys").hidden = questions.length === 0;
  const sections: HTMLElement[] = [];
  let heading = "";
  for (const question of questions) {
    if (sections.length === 0 || question.section !== heading) {
      heading = question.section;
      const section = make("section", "", { class: "q-section" });
      section.append(make("h3", heading, { class: "govuk-heading-s" }));
      sections.push(section);
    }
    sections.at(-1)!.append(draw(question));
  }
  get("questions").replaceChildren(...sections);
  rove(questions[0]?.key ?? "");
}

/** "Not asked" is what is so without an answer. */
const choicesOf = (question: Question | undefined): Choice[] => question?.choices.filter(({ key }) => key !== NOT_ASKED) ?? [];

function draw(question: Question): HTMLElement {
  const { key, text, help, bold } = question;
  const li = make("div", "", { class: "question", id: id(key), role: "group", tabindex: "-1", "data-question": key, "data-bold": String(bold), "aria-labelledby": id(key, "-text"), "aria-keyshortcuts": "Y N D W M" });
  const words = make("p", "", { class: "q-text", id: id(key, "-text") });
  if (bold) words.append(make("strong", "Weighs most", { class: "q-bold" }), " ");
  words.append(text);
  li.append(words);
  if (help) li.append(make("p", help, { class: "q-help hush" }));
  const row = make("div", "", { class: "q-row" });
  for (const choice of choicesOf(question)) {
    row.append(make("button", choice.text, { type: "button", class: "q-choice", tabindex: "-1", "data-choice": choice.key, "aria-pressed": "false" }));
  }
  row.append(make("button", "Note", { type: "button", class: "link q-more", tabindex: "-1", "aria-expanded": "false", "aria-controls": id(key, "-more") }));
  row.append(make("span", "", { class: "q-state", id: id(key, "-state") }));
  li.append(row, more(key), make("div", "", { class: "clash", id: id(key, "-clash") }));
  return li;
}

/** What the caller said, in their words, and the officer's own note. */
function more(key: string): HTMLElement {
  const box = make("div", "", { class: "q-box", id: id(key, "-more") });
  box.hidden = true;
  const field = (name: string, label: string) => [
    make("label", label, { class: "govuk-label", for: id(key, `-${name}`) }),
    make("textarea", "", { class: "govuk-textarea", id: id(key, `-${name}`), "data-field": name, rows: "2", maxlength: "1000", autocomplete: "off" }),
  ];
  const said = make("div", "", { class: "row q-said" });
  said.append(make("span", "", { class: "hush", id: id(key, "-said") }), make("button", "Said now", { type: "button", class: "govuk-button govuk-button--secondary", "data-said": "" }));
  box.append(...field("words", "In their words"), said, ...field("note", "Your note"));
  return box;
}

export function renderAnswer(key: string, { mine, other, standing, me }: Answered): void {
  const one = group(key);
  if (!one) return;
  one.dataset.choice = mine?.choice ?? NOT_ASKED;
  one.dataset.standing = standing;
  for (const button of one.querySelectorAll<HTMLElement>("[data-choice]")) button.setAttribute("aria-pressed", String(button.dataset.choice === mine?.choice));
  fill(key, "words", mine?.words ?? "");
  fill(key, "note", mine?.note ?? "");
  say(id(key, "-said"), mine?.saidAt ? `Said at ${clock(timestampDate(mine.saidAt))}` : "Not said when");
  const has = [mine?.words && "words", mine?.note && "note"].filter(Boolean).join(" and ");
  const link = one.querySelector(".q-more")!;
  const words = has ? `${has[0]!.toUpperCase()}${has.slice(1)}` : "Note";
  if (link.textContent !== words) link.textContent = words;
  say(id(key, "-state"), stateWords(mine, standing, me));
  clash(key, mine, other, standing);
}

function stateWords(mine: Answer | undefined, standing: Standing, me: string): string {
  if (standing === "trying") return "Not saved, trying again";
  if (standing === "refused") return "Not saved";
  if (standing === "waiting") return "Saving…";
  if (standing !== "saved" || !mine) return "";
  if (mine.savedBy === "" || mine.savedBy === me) return "Saved";
  return `${mine.savedBy}${mine.savedAt ? ` ${time(timestampDate(mine.savedAt))}` : ""}`;
}

/** Never under the fingers of who is typing in it. */
function fill(key: string, name: string, value: string): void {
  const field = get<HTMLTextAreaElement>(id(key, `-${name}`));
  if (document.activeElement === field && field.value !== field.defaultValue) return;
  if (field.value !== value) field.value = value;
  field.defaultValue = value;
}

function inWords(key: string, { choice, note, words }: Answer): string {
  const chosen = questions.find((one) => one.key === key)?.choices.find((one) => one.key === choice)?.text ?? choice;
  return [chosen, words && `“${words}”`, note].filter(Boolean).join(" · ");
}

function clash(key: string, mine: Answer | undefined, other: Answer | undefined, standing: Standing): void {
  const box = get(id(key, "-clash"));
  const state = standing !== "clash" ? "" : !other || !mine ? "waiting" : `${inWords(key, other)}|${inWords(key, mine)}`;
  if (box.dataset.state === state) return;
  box.dataset.state = state;
  if (state === "") return box.replaceChildren();
  // What was typed stands in the choice.
  shut(key);
  box.replaceChildren(make("p", "Somebody else has answered this meanwhile.", { class: "clash-words", role: "alert" }));
  if (!other || !mine) return;
  const list = make("dl", "", { class: "clash-both" });
  list.append(make("dt", other.savedBy || "Theirs"), make("dd", inWords(key, other)), make("dt", "Yours"), make("dd", inWords(key, mine)));
  const row = make("div", "", { class: "row" });
  row.append(...[["mine", "Keep yours"], ["theirs", "Take theirs"]].map(([what, words]) => make("button", words, { type: "button", class: "govuk-button govuk-button--secondary", "data-keep": what! })));
  box.append(list, row);
  if (group(key)?.contains(document.activeElement)) box.scrollIntoView({ block: "nearest" });
}

/** The one question that Tab goes to, and that its buttons can be reached from. */
export function rove(key: string): void {
  for (const one of get("questions").querySelectorAll<HTMLElement>(".question")) {
    const here = one.dataset.question === key;
    one.dataset.here = String(here);
    one.tabIndex = here ? 0 : -1;
    for (const button of one.querySelectorAll<HTMLElement>(".q-row button")) button.tabIndex = here ? 0 : -1;
    if (!here) shut(one.dataset.question!);
  }
}

export function goTo(key: string): void {
  const one = group(key);
  if (!one) return;
  rove(key);
  one.focus({ preventScroll: true });
  one.scrollIntoView({ block: "nearest" });
}

function shut(key: string, is = true): void {
  get(id(key, "-more")).hidden = is;
  group(key)?.querySelector(".q-more")?.setAttribute("aria-expanded", String(!is));
}

/** Opens or shuts words and note; `part`: opens, and goes there. */
export function openWords(key: string, part?: "words" | "note"): void {
  shut(key, part ? false : !get(id(key, "-more")).hidden);
  if (part) get(id(key, `-${part}`)).focus();
  group(key)?.scrollIntoView({ block: "nearest" });
}

/** Whoever comes back goes on where nothing is answered yet. */
export const firstOpen = (): string => get("questions").querySelector<HTMLElement>('.question[data-choice="not-asked"], .question:not([data-choice])')?.dataset.question ?? questions[0]?.key ?? "";

export function renderRisk(set: QuestionSet | undefined, finding: Finding | undefined): void {
  const sum = get("risk-sum");
  if (!set || !finding) return sum.replaceChildren();
  const left = finding.unanswered.length;
  say("risk-open", left > 0 ? String(left) : "");
  const count = `${finding.ticks} ${finding.ticks === 1 ? "tick" : "ticks"}: medium from ${finding.mediumFrom}, high from ${finding.highFrom}`;
  const bold = finding.bold.length > 0 ? `${finding.bold.length} that ${finding.bold.length === 1 ? "weighs" : "weigh"} most` : "";
  const reports = finding.reportsFrom > 0 && finding.reports > 1 ? `${finding.reports} calls in ${finding.reportsMonths} months, ${finding.reportsFrom} make it high` : "";
  sum.replaceChildren(riskTag(finding.least, " at least"), make("span", left === 0 ? "All asked" : `${left} of ${set.questions.length} not asked`, { class: "risk-left" }));
  say("risk-count", [count, bold, reports].filter(Boolean).join(" · "));
  say("risk-why", finding.because.length > 0 ? `${risk(finding.least).word} because: ${finding.because.join(", ")}.` : "");
}
