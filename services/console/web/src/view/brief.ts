// What was said of the call when it was offered, kept in view during the call. A page that was reloaded doesn't know it any more, but
// for that the caller doesn't speak: their session says that.
import { get, make } from "../dom";
import { incident, language, riskTag } from "../format";
import { SilentCaller } from "../gen/alcove/intake/v1/service_pb";
import type { Session } from "../gen/alcove/session/v1/service_pb";
import type { Offer } from "../gen/alcove/transfer/v1/service_pb";

const SILENT: Record<SilentCaller, string> = {
  [SilentCaller.UNSPECIFIED]: "",
  [SilentCaller.PRESSED_55]: "Silent caller, pressed 55",
  [SilentCaller.TAPS_ONLY]: "Silent caller, answers by taps",
  [SilentCaller.CANNOT_SPEAK]: "Can’t speak",
};

let last: Offer | undefined;

export function remember(offer: Offer): void {
  last = offer;
}

/** Why the caller doesn't speak; nothing if they do. */
export function silentWords(silent: SilentCaller): string {
  return SILENT[silent] ?? "";
}

export function renderBrief(callId: string, session?: Session): void {
  const offer = last?.callId === callId ? last : undefined;
  const silent = silentWords(session?.silentCaller || offer?.silentCaller || SilentCaller.UNSPECIFIED);
  const words = offer ? [incident(offer), language(offer.language), ...(offer.childrenPresent ? ["Children"] : [])] : [];
  get("brief").replaceChildren(
    ...(silent ? [make("strong", `${silent}: write, and ask nothing aloud`, { class: "govuk-tag govuk-tag--yellow" })] : []),
    ...(offer ? [riskTag(offer.risk, " risk")] : []),
    ...words.map((word) => make("span", word)),
  );
}
