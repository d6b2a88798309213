// Whose case the panel is of: the call's that is on the screen, and the same one's after it. It is one panel, which goes along, so that what
// was begun in the call is there after it.
import type { Api, Officer } from "../api";
import type { Consents } from "../consents";
import { get, view } from "../dom";
import { followRisk } from "./keys";
import { anyOpen, placePanel, select, type Tab } from "../view/work/panel";
import { sure } from "../sure";
import { followPackage } from "./packing";
import { followHelp } from "./pressed";
import { followPersons } from "./typed";
import { anyUnsent, dropAll } from "./unsent";
import { Work } from "./work";

export interface Here {
  api: Api;
  officer: Officer;
  /** Of the call that goes on. */
  consents: Consents | undefined;
}

/** What was refused, or is to be chosen, is sent by nobody once it is left. */
export function leaving(leave: () => void): void {
  // At once, if there is nothing to ask: whoever goes on to another screen does so in the same moment.
  if (!anyOpen()) return leave();
  const words = "Something of this case was not taken, isn’t saved, or is still to be chosen. It is lost if you leave.";
  // A call may have come while they were asked.
  void sure({ title: "Leave what isn’t saved?", words, go: "Leave it" }).then((go) => go && view() === "after" && leave());
}

const shownCall = () => (view() === "call" ? get("call").dataset.call : view() === "after" ? get("after").dataset.call : "") ?? "";

/** Answers with what writes down a consent, in the call and after it. */
export function followWork(here: () => Here | undefined): () => Consents | undefined {
  let work: Work | undefined;
  let whose: string | undefined;
  const settle = () => {
    const now = here();
    const callId = now ? shownCall() : "";
    if (work && (callId !== work.callId || now?.officer.id !== work.officer.id)) {
      work.close();
      work = undefined;
    }
    // Another is signed in now, or nobody: what was left of calls before is not theirs to send.
    if (whose !== now?.officer.id) dropAll();
    whose = now?.officer.id;
    if (!now || !callId) return;
    placePanel(view() === "after");
    if (!work) {
      work = new Work(now.api, now.officer, callId);
      select(view() === "after" ? "risk" : "call");
    }
    // A form that was open in the call is not this one's: it would write nothing.
    if (view() === "after") work.beginAfter();
    opened();
  };
  /** What is looked at for the first time is asked for. */
  const opened = () => {
    const tab = get("work").dataset.tab as Tab;
    if (tab === "risk") work?.risk.show();
    if (tab === "help") work?.help.show();
  };
  const watch = new MutationObserver(settle);
  watch.observe(document.body, { attributeFilter: ["data-view"] });
  for (const id of ["call", "after"]) watch.observe(get(id), { attributeFilter: ["data-call"] });
  new MutationObserver(opened).observe(get("work"), { attributeFilter: ["data-tab"] });
  const consents = () => here()?.consents ?? (view() === "after" ? work?.consents : undefined);
  followRisk(() => work?.risk);
  followPersons(() => work?.persons);
  followPackage(() => work);
  followHelp(() => work?.help, () => work?.persons, consents);
  window.addEventListener("beforeunload", (event) => {
    // The browser asks whether they mean it: it is kept nowhere but here.
    if (anyUnsent() || anyOpen() || work?.statement.dirty) event.preventDefault();
  });
  return consents;
}
