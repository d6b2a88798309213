// The queue, and the call on offer.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { facts, get, make, say } from "../dom";
import { incident, language, risk, riskTag, secondsLeft } from "../format";
import { type Offer, Presence, type WaitingCall, type WatchDeskResponse } from "../gen/alcove/transfer/v1/service_pb";
import { hush, ring } from "../sound";
import { age, tickAges } from "./age";
import { remember, silentWords } from "./brief";
import { renderHours } from "./hours";
import { renderReady } from "./ready";
import { clear, fill } from "./rows";

/** How long somebody may still be pressing for an offer that is gone, and how long they are told so. */
const [PRESSES_MS, TOLD_MS] = [4_000, 60_000];

let goneAt = -Infinity;
let toldAt = 0;
let offered: { callId: string; until: Date; whole: number } | undefined;

/** `lent`: another force's, of which we see what is offered to us and not who waits. */
export function renderDesk(desk: WatchDeskResponse, lent = false): void {
  const free = desk.presence === Presence.FREE;
  const button = get<HTMLButtonElement>("presence");
  button.dataset.state = free ? "free" : "away";
  button.setAttribute("aria-pressed", String(free));
  const inCall = desk.currentCallId !== "";
  button.disabled = inCall && !free;
  renderReady(free, button.disabled);
  say("presence", inCall ? (free ? "Free after this call" : "Away after this call") : free ? "Free for calls" : "Away");

  // The one on offer to us has its own card.
  const queue = desk.queue.filter((call) => call.callId !== desk.offer?.callId);
  fill(get("queue-rows"), queue.map(row));
  get("queue").hidden = queue.length === 0;
  get("queue-empty").hidden = queue.length > 0;
  say("queue-count", queue.length === 0 ? "" : queue.length === 1 ? "1 call" : `${queue.length} calls`);
  const nobody = desk.offer ? "Nobody else is waiting." : "Nobody is waiting.";
  say("queue-title", lent ? "You are offered calls here as they come." : nobody);
  say("queue-hint", desk.offer ? "" : free ? "You are free: the next call is offered to you." : "You are away: nothing is offered to you.");
  renderHours(desk);
  renderOffer(desk.offer);
}

/** The desk is left: who waits there is not for the next to see, nor is what became of a call there. */
export function clearQueue(): void {
  clear(get("queue-rows"));
  say("queue-count", "");
  for (const id of ["queue", "queue-empty", "handed"]) get(id).hidden = true;
}

function row(call: WaitingCall): HTMLElement {
  const tr = make("tr", "", { class: "govuk-table__row", "data-testid": "waiting", "data-call": call.callId });
  const waiting = age("td", call.queuedAt ? timestampDate(call.queuedAt) : new Date(), { class: "govuk-table__cell figures" });
  const riskCell = make("td", "", { class: "govuk-table__cell" });
  riskCell.append(riskTag(call.risk));
  const later = make("button", "Ring back later…", { type: "button", class: "govuk-button govuk-button--secondary", "data-act": "later", "data-call": call.callId });
  later.append(make("span", `: ${incident(call)}`, { class: "govuk-visually-hidden" }));
  const laterCell = make("td", "", { class: "govuk-table__cell queue-act" });
  laterCell.append(later);
  tr.append(
    riskCell,
    waiting,
    ...[incident(call), language(call.language), call.childrenPresent ? "Present" : "No"].map((words) => make("td", words, { class: "govuk-table__cell" })),
    laterCell,
  );
  return tr;
}

function renderOffer(offer: Offer | undefined): void {
  const card = get("offer");
  // It went without an answer of ours that counted.
  if (!card.hidden && offer?.callId !== offered?.callId) goneAt = Date.now();
  if (!offer) {
    putAway();
    offered = undefined;
    return;
  }
  const until = offer.expiresAt ? timestampDate(offer.expiresAt) : new Date();
  if (offered?.callId === offer.callId && offered.until.getTime() === until.getTime()) return;
  offered = { callId: offer.callId, until, whole: Math.max(1, secondsLeft(until, Date.now())) };
  if (card.dataset.call !== offer.callId) {
    tellMissed("");
    leftBehind();
    // It would lie over the card, and take its key. What is given can be given after it.
    for (const asked of ["give", "later", "sure"]) get<HTMLDialogElement>(asked).close();
  }
  card.dataset.call = offer.callId;
  remember(offer);
  facts(get("offer-facts"), [
    ["Risk", riskTag(offer.risk)],
    ["Incident", incident(offer)],
    ["Language", language(offer.language)],
    ["Children", offer.childrenPresent ? "Present" : "None known"],
    ...(offer.silentCaller ? [["Speaks", `No. ${silentWords(offer.silentCaller)}`] as [string, string]] : []),
  ]);
  get<HTMLButtonElement>("accept").disabled = false;
  get<HTMLButtonElement>("decline").disabled = false;
  card.hidden = false;
  document.title = "● A call is waiting – Alcove desk";
  say("announce-now", `A ${risk(offer.risk).word.toLowerCase()} risk call is offered to you. ${offered.whole} seconds to answer.`);
  get("accept").focus();
  ring();
  tick();
}

/** It is answered, or not ours any more: gone at once, and silent, whatever the desk still says of it. */
export function putAway(): void {
  const given = !get("given").hidden;
  if (offered && !given) say("announce-now", "");
  if (!given) hush();
  const card = get("offer");
  leftBehind();
  card.hidden = true;
  card.dataset.call = "";
  if (!given) document.title = "Alcove desk";
}

/** Why an answer to an offer did not count: on its card, or above the desk if that has gone meanwhile. */
export function refuseAnswer(callId: string, why: string): void {
  const card = get("offer");
  if (!card.hidden && card.dataset.call === callId) say("offer-trouble", why);
  else tellMissed(why);
}

/** What the card still had to say when it went. */
function leftBehind(): void {
  const why = get("offer-trouble").textContent ?? "";
  say("offer-trouble", "");
  if (why) tellMissed(why);
}

export function tellMissed(why: string): void {
  tellAbove(why && `Your answer to the offer did not count. ${why}`);
}

/** Above every screen but a call, for a minute. */
export function tellAbove(words: string): void {
  toldAt = Date.now();
  say("missed", words);
}

/** Whether an offer went just now, so that whoever presses its key means that one. */
export function offerJustGone(): boolean {
  return Date.now() - goneAt < PRESSES_MS;
}

/** Once a second. */
export function tick(): void {
  const now = Date.now();
  tickAges(now);
  if (now - toldAt > TOLD_MS) say("missed", "");
  if (offered) {
    const left = secondsLeft(offered.until, now);
    say("offer-left", `${left} s`);
    const bar = get<HTMLProgressElement>("offer-bar");
    [bar.max, bar.value] = [offered.whole, left];
  }
}

/** What became of an offer, as the desk's refusals have it. */
export const TOO_LATE: Record<string, string> = {
  NOT_OFFERED_TO_YOU: "The call isn’t offered to you any more.",
  OFFER_EXPIRED: "Its time was over, and the call goes to somebody else.",
  CALL_NOT_WAITING: "The call doesn’t wait any more.",
};
