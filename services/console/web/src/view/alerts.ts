// What a sergeant should look into: in the bar of every screen, and in full on their own. What is done about it is in ../alerts.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../dom";
import { incident, riskTag } from "../format";
import { type Alert, AlertKind, type OfficerAtDesk, type WaitingCall } from "../gen/alcove/transfer/v1/service_pb";
import { age } from "./age";
import { fill } from "./rows";

const KINDS: Record<AlertKind, string> = {
  [AlertKind.UNSPECIFIED]: "Something is wrong",
  [AlertKind.FAST_TRACK]: "Nobody sent yet",
  [AlertKind.WAITS_LONG]: "Waits long",
  [AlertKind.NOT_ANSWERED]: "Not answered",
  [AlertKind.DECLINED]: "Declined",
  [AlertKind.NO_SKILL]: "Nobody has the skill",
  [AlertKind.CALLBACK_DUE]: "Nobody rings back",
  [AlertKind.CALLBACK_MISSED]: "Not reached, or not safe to ring",
};

/** Whoever is in danger now goes before everybody; otherwise as the desk has them, the oldest first. */
export function urgentFirst(alerts: Alert[]): Alert[] {
  const urgent = (one: Alert) => one.kind === AlertKind.FAST_TRACK;
  return [...alerts.filter(urgent), ...alerts.filter((one) => !urgent(one))];
}

export function alertWords({ kind, count }: Pick<Alert, "kind" | "count">): string {
  if (count < 2) return KINDS[kind];
  return `${KINDS[kind]}, ${kind === AlertKind.FAST_TRACK ? "raised " : ""}${count} times`;
}

/** "2 alerts"; that nobody has been sent is said first. */
export function inShort(alerts: Alert[]): string {
  const all = alerts.length === 1 ? "1 alert" : `${alerts.length} alerts`;
  return alerts.some((one) => one.kind === AlertKind.FAST_TRACK) ? `${KINDS[AlertKind.FAST_TRACK]} · ${all}` : all;
}

/** `queue` says of which incident a call is that still waits; what one of the `officers` has can be watched; any other is over. */
export function renderAlerts(alerts: Alert[], queue: WaitingCall[], officers: OfficerAtDesk[], busy: boolean): void {
  const first = urgentFirst(alerts);
  const rows = get("alert-rows");
  const all = first.map((one) => row(one, queue.find(({ callId }) => callId === one.callId), officers.find(({ callId }) => callId === one.callId)));
  // Where the sergeant's alert is gone, the next one is theirs.
  fill(rows, all, () => rows.querySelector<HTMLElement>("[data-act]") ?? get("alerts-title"));
  rows.hidden = first.length === 0;
  get("alerts-none").hidden = first.length > 0;
  get("alerts").dataset.count = String(first.length);
  say("alerts-count", first.length === 0 ? "" : String(first.length));

  const sign = get<HTMLButtonElement>("alerts-sign");
  sign.hidden = first.length === 0;
  sign.dataset.urgent = String(first[0]?.kind === AlertKind.FAST_TRACK);
  sign.disabled = busy;
  say("alerts-sign", inShort(first));
  if (first.length > 0 && get("offer").hidden && get("given").hidden) document.title = `▲ ${inShort(first)} – Alcove desk`;
}

/** Names an alert as it was shown: raised again, it is another. */
export function nameOf({ callId, kind, count }: Alert): string {
  return `${callId}/${kind}/${count}`;
}

function row(alert: Alert, waiting: WaitingCall | undefined, having: OfficerAtDesk | undefined): HTMLElement {
  const li = make("li", "", { "data-testid": "alert", "data-call": alert.callId, "data-kind": AlertKind[alert.kind].toLowerCase() });
  const isCallback = alert.kind === AlertKind.CALLBACK_DUE || alert.kind === AlertKind.CALLBACK_MISSED;
  const about = make("span", "", { class: "alert-about" });
  if (waiting) about.append(riskTag(waiting.risk), ` ${incident(waiting)}`);
  else about.append(isCallback ? "A call-back" : !having ? "The call is over" : having.isOffer ? "On offer" : "In a call");
  if (alert.officerId) about.append(` · ${alert.officerId}`);
  const acts = make("span", "", { class: "row alert-acts" });
  if (!waiting && !isCallback && having && !having.isOffer) acts.append(button(alert, "watch", "Watch"));
  acts.append(button(alert, "see", "I’m on it"));
  li.append(
    make("strong", alertWords(alert), { class: "alert-what" }),
    about,
    age("span", alert.since ? timestampDate(alert.since) : new Date(), { class: "figures" }),
    acts,
  );
  return li;
}

function button(alert: Alert, act: string, words: string): HTMLElement {
  const attributes = { type: "button", class: "govuk-button govuk-button--secondary", "data-act": act, "data-alert": nameOf(alert), "data-call": alert.callId };
  const one = make("button", words, attributes);
  // Each says of which: a list of the same buttons says nothing to somebody who hears it.
  one.append(make("span", `: ${alertWords(alert)}`, { class: "govuk-visually-hidden" }));
  return one;
}
