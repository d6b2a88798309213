// Who waits, as a sergeant sees it: what each needs, and whom they could be given to.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../dom";
import { day, duration, incident, language, riskTag } from "../format";
import { Gender, Vulnerability } from "../gen/alcove/intake/v1/service_pb";
import type { WaitingCall } from "../gen/alcove/transfer/v1/service_pb";
import { age } from "./age";
import { fill } from "./rows";

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
  fill(get("overview-rows"), queue.map(row));
  get("overview-queue").hidden = queue.length === 0;
  get("overview-none").hidden = queue.length > 0;
  say("overview-count", queue.length === 0 ? "" : String(queue.length));
}

function row(call: WaitingCall): HTMLElement {
  const tr = make("tr", "", { class: "govuk-table__row", "data-testid": "overview-waiting", "data-call": call.callId });
  const risk = make("td", "", { class: "govuk-table__cell" });
  risk.append(riskTag(call.risk));
  const cell = (...parts: (string | HTMLElement)[]) => {
    const td = make("td", "", { class: "govuk-table__cell" });
    td.append(...parts);
    return td;
  };
  const told = call.expectedWaitS === undefined ? "told no wait" : `told ${duration(call.expectedWaitS * 1000)}`;
  const waits = cell(age("strong", call.queuedAt ? timestampDate(call.queuedAt) : new Date(), { class: "figures" }), make("span", told, { class: "hush under" }));
  const which = cell(make("span", call.incident?.number ?? "—"), make("span", call.incident ? `of ${day(call.incident.date)}` : "", { class: "hush under" }));
  const give = make("button", "Give…", { type: "button", class: "govuk-button govuk-button--secondary", "data-act": "give", "data-call": call.callId, "data-what": incident(call) });
  give.append(make("span", `: ${incident(call)}`, { class: "govuk-visually-hidden" }));
  tr.append(risk, waits, which, cell(needs(call)), cell(give));
  return tr;
}

export function clearOverview(): void {
  for (const id of ["now", "whole", "hour-rows"]) get(id).replaceChildren();
  for (const id of ["overview-trouble", "overview-said"]) say(id, "");
  get<HTMLSelectElement>("window").value = "0";
}
