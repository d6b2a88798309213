// Answering by the keyboard: one key answers and goes on to the next question.
import { get, say } from "../dom";
import { choiceFor, firstOpen, goTo, keysOf, openWords, questionOf, rove } from "../view/work/risk";
import { chooseGrade, gradeChosen, reasonNeeded } from "../view/work/grade";
import { followTabs, select } from "../view/work/panel";
import type { Risk } from "./risk";

const isTyping = (target: EventTarget | null) => target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;

export function followRisk(current: () => Risk | undefined): void {
  followTabs();
  const list = get("questions");
  list.addEventListener("keydown", (event) => {
    const question = questionOf(event.target as Element);
    if (!question || event.altKey || event.ctrlKey || event.metaKey) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") goTo(question);
      return;
    }
    const act = actOf(event.key.toLowerCase(), question, current());
    if (!act) return;
    event.preventDefault();
    act();
  });
  list.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button");
    const question = questionOf(event.target as Element);
    if (question) rove(question);
    if (!button || !question) return;
    const { choice, said, keep } = button.dataset;
    if (choice) current()?.answer(question, choice);
    else if (said !== undefined) current()?.said(question, false);
    else if (keep === "mine") current()?.answers.keepMine(question);
    else if (keep === "theirs") current()?.answers.takeTheirs(question);
    else openWords(question);
    // The buttons of a choice are gone with it.
    if (keep) goTo(question);
  });
  list.addEventListener("focusin", (event) => {
    const question = questionOf(event.target as Element);
    if (question) rove(question);
  });
  list.addEventListener("change", (event) => {
    const field = event.target as HTMLTextAreaElement;
    if (field.dataset.field === "note") current()?.note(questionOf(field), field.value.trim());
    else current()?.words(questionOf(field), field.value.trim());
  });
  list.addEventListener("focusout", (event) => {
    const question = questionOf(event.target as Element);
    // What another has written meanwhile was kept from under their fingers.
    if (question && isTyping(event.target)) queueMicrotask(() => current()?.answers.settle(question));
  });
  followGrade(current);
}

function actOf(key: string, question: string, risk: Risk | undefined): (() => void) | undefined {
  const all = keysOf();
  const step = (by: number) => () => goTo(all[Math.min(all.length - 1, Math.max(0, all.indexOf(question) + by))]!);
  switch (key) {
    case "arrowdown":
      return step(1);
    case "arrowup":
      return step(-1);
    case "w":
      return () => risk?.said(question, true);
    case "m":
      return () => openWords(question, "note");
    default: {
      const choice = choiceFor(question, key);
      if (!choice) return undefined;
      return () => {
        risk?.answer(question, choice);
        if (question === all.at(-1)) get("grade-title").focus();
        else step(1)();
      };
    }
  }
}

function followGrade(current: () => Risk | undefined): void {
  get("sets").addEventListener("submit", async (event) => {
    event.preventDefault();
    await current()?.ask(get<HTMLSelectElement>("sets-other").value);
    goTo(firstOpen());
  });
  get("matches").addEventListener("click", async (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("[data-same]");
    const earlier = button?.closest<HTMLElement>("[data-match]")?.dataset.match;
    if (button && earlier) await current()?.judge(earlier, button.dataset.same === "true");
  });
  get("contradictions").addEventListener("click", (event) => {
    const key = (event.target as HTMLElement).closest<HTMLElement>("[data-go]")?.dataset.go;
    if (key) goTo(key);
  });
  get("grade-choices").addEventListener("change", chooseGrade);
  get("grade-reason").addEventListener("input", () => say("grade-trouble", ""));
  get("grade-send").addEventListener("click", () => get("fast-track").click());
  get("grade-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = get<HTMLButtonElement>("grade-give");
    // It is being given.
    if (button.getAttribute("aria-disabled")) return;
    const field = get<HTMLTextAreaElement>("grade-reason");
    const reason = field.value.trim();
    if (reasonNeeded() && reason === "") {
      say("grade-trouble", "This grade needs a reason.");
      return field.focus();
    }
    button.setAttribute("aria-disabled", "true");
    if (await current()?.grade(gradeChosen(), reason)) field.value = "";
    button.removeAttribute("aria-disabled");
  });
}

export function toGrade(): void {
  select("risk");
  get("grade-title").focus();
}

/** The key that goes there from anywhere in the call. */
export function toRisk(): void {
  select("risk");
  const question = firstOpen();
  if (question) goTo(question);
  else get("tab-risk").focus();
}
