// The panel as a whole: its tabs, where it stands, and what of it isn't saved yet.
import { get, say } from "../../dom";
import { clearAgain } from "./again";
import { clearGrade } from "./grade";
import { clearHelp } from "./help";
import { renderMatches } from "./matches";
import { clearPackage } from "./package";
import { clearPersons, editedPerson } from "./persons";
import { clearQuestions, editedQuestion } from "./risk";
import { clearSchedule } from "./schedule";
import { clearSealing } from "./sealing";
import { clearStatement } from "./statement";

export type Tab = "call" | "risk" | "people" | "help" | "package";
const PANELS: Record<Tab, string> = { call: "beside", risk: "work-risk", people: "work-people", help: "work-help", package: "work-package" };
const TABS = Object.keys(PANELS) as Tab[];
/** Wide enough for the panel to have a column of its own. */
const wide = window.matchMedia("(min-width: 1700px) and (min-height: 620px)");
let chosen: Tab = "call";

/** Where "Call" is no tab, because its parts are always there or there is no call. */
const isWhole = () => wide.matches || get("work").dataset.at === "after";

export function select(tab: Tab): void {
  chosen = tab;
  const shown = tab === "call" && isWhole() ? "risk" : tab;
  // What waits for it looks at the panels.
  for (const one of TABS) {
    const button = get(`tab-${one}`);
    button.setAttribute("aria-selected", String(one === shown));
    button.tabIndex = one === shown ? 0 : -1;
    get(PANELS[one]).hidden = one !== shown && !(one === "call" && isWhole());
  }
  get("tab-call").hidden = isWhole();
  get("call").dataset.work = shown;
  get("work").dataset.tab = shown;
}

export function followTabs(): void {
  const list = get("work-tabs");
  list.addEventListener("click", (event) => {
    const tab = (event.target as HTMLElement).closest<HTMLElement>("[role=tab]")?.dataset.tab as Tab | undefined;
    if (tab) select(tab);
  });
  list.addEventListener("keydown", (event) => {
    const open = TABS.filter((one) => !get(`tab-${one}`).hidden);
    const at = open.indexOf(get("work").dataset.tab as Tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + open.length, Home: 0, End: open.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const tab = open[to % open.length]!;
    select(tab);
    get(`tab-${tab}`).focus();
  });
  wide.addEventListener("change", () => select(chosen));
}

/** Beside the call, or on the screen after it. */
export function placePanel(after: boolean): void {
  const [work, at] = [get("work"), after ? "after" : "call"];
  if (work.dataset.at === at) return;
  work.dataset.at = at;
  if (after) {
    get("after-work").append(work);
    get("after-consents").append(get("part-consents"));
  } else {
    get("call-body").insertBefore(work, get("side"));
    get("parts").insertBefore(get("part-consents"), get("part-cover"));
  }
  get("grade-send").hidden = after;
  select(after && chosen === "call" ? "risk" : chosen);
}

export function clearWork(): void {
  clearQuestions();
  clearGrade();
  renderMatches([]);
  clearPersons();
  clearHelp();
  clearPackage();
  clearAgain();
  clearStatement();
  clearSchedule();
  clearSealing();
  renderUnsent(0, 0);
  for (const id of ["work-trouble", "work-saved"]) say(id, "");
  // What was pressed in another case holds no button of the next.
  for (const one of get("work").querySelectorAll("[aria-disabled]")) one.removeAttribute("aria-disabled");
}

/** The statement is saved when the case is left. */
const isOpen = () => get("work").querySelector('[data-standing="clash"], [data-standing="refused"], [data-unsaved="yes"]:not(#statement-part)') !== null;

/** Something is still to be chosen or mended, or is being typed. */
export const anyOpen = () => isOpen() || editedPerson() !== undefined || editedQuestion() !== undefined;

/** Quiet when all is well, and loud when it isn't. */
export function renderUnsent(count: number, trying: number): void {
  const things = count === 1 ? "One thing isn’t saved yet" : `${count} things aren’t saved yet`;
  say("work-unsent", trying > 0 ? `${things}, trying again. Leave this page open.` : "");
  say("work-saved", trying > 0 || isOpen() ? "" : count > 0 ? "Saving…" : "All is saved");
}
