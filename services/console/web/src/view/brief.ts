// What the desk said of the call when it was offered, kept in view during the call. A page that was reloaded doesn't know it any more.
import { get, make } from "../dom";
import { incident, language, riskTag } from "../format";
import type { Offer } from "../gen/alcove/transfer/v1/service_pb";

let last: Offer | undefined;

export function remember(offer: Offer): void {
  last = offer;
}

export function renderBrief(callId: string): void {
  const brief = get("brief");
  if (last?.callId !== callId) return brief.replaceChildren();
  const words = [incident(last), language(last.language), ...(last.childrenPresent ? ["Children"] : [])];
  brief.replaceChildren(riskTag(last.risk, " risk"), ...words.map((word) => make("span", word)));
}
