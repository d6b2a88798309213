// The sergeant's lists: who waits, and which calls go on. What is done about them is in ../overview.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../dom";
import { duration, incident, language, riskTag } from "../format";
import type { ExhibitSummary } from "../gen/alcove/evidence/v1/service_pb";
import { Gender, Vulnerability } from "../gen/alcove/intake/v1/service_pb";
import type { WaitingCall } from "../gen/alcove/transfer/v1/service_pb";
import { age } from "./age";

/** What an officer should bring, or know, for this caller. */
export function needs(call: WaitingCall): string {
  const all = [
    call.language && call.language !== "en" ? language(call.language) : "",
    call.officerAskedFor === Gender.WOMAN ? "a woman" : call.officerAskedFor === Gender.MAN ? "a man" : "",
    call.childMaySpeak ? "a child may speak" : call.childrenPresent ? "children there" : "",
    call.vulnerability === Vulnerability.GREAT ? "very vulnerable" : call.vulnerability === Vulnerability.SOME ? "vulnerable" : "",
  ];
  return all.filter(Boolean).join(", ") || "–";
}

export function renderWaiting(queue: WaitingCall[]): void {
  get("overview-rows").replaceChildren(...queue.map(row));
  get("overview-queue").hidden = queue.length === 0;
  get("overview-none").hidden = queue.length > 0;
  say("overview-count", queue.length === 0 ? "" : String(queue.length));
}

function row(call: WaitingCall): HTMLElement {
  const tr = make("tr", "", { class: "govuk-table__row", "data-testid": "overview-waiting", "data-call": call.callId });
  const risk = make("td", "", { class: "govuk-table__cell" });
  risk.append(riskTag(call.risk));
  const cell = (words: string, more = "") => make("td", words, { class: `govuk-table__cell${more}` });
  tr.append(
    risk,
    age("td", call.queuedAt ? timestampDate(call.queuedAt) : new Date(), { class: "govuk-table__cell figures" }),
    cell(call.expectedWaitS === undefined ? "–" : duration(call.expectedWaitS * 1000), " figure-left"),
    cell(incident(call)),
    cell(needs(call)),
  );
  return tr;
}

/** The newest first. Watching is asked for: the officer lets whoever asks in, and everybody in the call sees it. */
export function renderGoingOn(calls: ExhibitSummary[]): void {
  const held = (document.activeElement as HTMLElement | null)?.dataset.watch;
  const list = get("going");
  list.replaceChildren(
    ...calls.map(({ callId, reference, openedAt }) => {
      const li = make("li", "", { "data-testid": "going-on" });
      const watch = make("button", "Watch", { type: "button", class: "govuk-button govuk-button--secondary", "data-watch": callId });
      watch.append(make("span", `: ${reference}`, { class: "govuk-visually-hidden" }));
      li.append(
        make("span", reference || "No reference yet", { class: "going-name" }),
        age("span", openedAt ? timestampDate(openedAt) : new Date(), { class: "figures" }),
        watch,
      );
      return li;
    }),
  );
  if (held) list.querySelector<HTMLElement>(`[data-watch="${held}"]`)?.focus();
  get("going-none").hidden = calls.length > 0;
  say("going-count", calls.length === 0 ? "" : String(calls.length));
}

export function clearOverview(): void {
  for (const id of ["now", "whole", "hour-rows", "going"]) get(id).replaceChildren();
  for (const id of ["overview-trouble", "going-count"]) say(id, "");
  get<HTMLSelectElement>("window").value = "0";
}
