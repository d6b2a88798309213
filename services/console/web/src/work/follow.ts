// Whose case the panel is of: the call's that is on the screen, and the same one's after it. It is one panel, which goes along, so that what
// was begun in the call is there after it.
import type { Api, Officer } from "../api";
import type { Consents } from "../consents";
import { get, view } from "../dom";
import { followRisk } from "./keys";
import { placePanel, select, type Tab } from "../view/work/panel";
import { followHelp } from "./pressed";
import { followPersons } from "./typed";
import { anyUnsent } from "./unsent";
import { Work } from "./work";

export interface Here {
  api: Api;
  officer: Officer;
  /** Of the call that goes on. */
  consents: Consents | undefined;
}

const shownCall = () => (view() === "call" ? get("call").dataset.call : view() === "after" ? get("after").dataset.call : "") ?? "";

/** Answers with what writes down a consent, in the call and after it. */
export function followWork(here: () => Here | undefined): () => Consents | undefined {
  let work: Work | undefined;
  const settle = () => {
    const now = here();
    const callId = now ? shownCall() : "";
    if (work && (callId !== work.callId || now?.officer.id !== work.officer.id)) {
      work.close(now?.officer.id !== work.officer.id);
      work = undefined;
    }
    if (!now || !callId) return;
    placePanel(view() === "after");
    if (!work) {
      work = new Work(now.api, now.officer, callId);
      select(view() === "after" ? "risk" : "call");
    }
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
  followHelp(() => work?.help, () => work?.persons, consents);
  window.addEventListener("beforeunload", (event) => {
    // The browser asks whether they mean it: it is kept nowhere but here.
    if (anyUnsent()) event.preventDefault();
  });
  return consents;
}
