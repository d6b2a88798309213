// One referral on screen: what it will say and what is missing of that, or how it fares. What is done about it is in ../../work/help.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../../dom";
import { moment, national, time } from "../../format";
import { type Clock, DeliveryState, type Partner, type Referral, type ReferralKind, ReferralState, Route } from "../../gen/alcove/referral/v1/help_pb";
import type { Person } from "../../gen/alcove/referral/v1/people_pb";
import { clockWords } from "./left";
import { personTitle } from "./persons";
import { drawStages, isByStages } from "./stages";

export interface About {
  kind: ReferralKind | undefined;
  child: Person | undefined;
  clocks: Clock[];
}

const STATES: Record<ReferralState, [string, string]> = {
  [ReferralState.UNSPECIFIED]: ["", "grey"],
  [ReferralState.DRAFT]: ["Draft", "yellow"],
  [ReferralState.SENT]: ["Sent", "blue"],
  [ReferralState.ACKNOWLEDGED]: ["They have it", "green"],
  [ReferralState.OUTCOME]: ["Outcome known", "green"],
  [ReferralState.WITHDRAWN]: ["Taken back", "grey"],
};
const OPEN = [ReferralState.DRAFT, ReferralState.SENT, ReferralState.ACKNOWLEDGED];

const names = new Map<string, string>();
const id = (referralId: string, part = "") => `${names.get(referralId) ?? names.set(referralId, `r-${names.size}`).get(referralId)!}${part && `-${part}`}`;

export const referralCard = (referralId: string) => document.getElementById(id(referralId));
export const referralOf = (within: Element): string => within.closest<HTMLElement>(".referral")?.dataset.referral ?? "";
export const typedIn = (referralId: string, part: string) => get<HTMLInputElement>(id(referralId, part));
export const referralTrouble = (referralId: string, words: string) => void (referralCard(referralId) && say(id(referralId, "trouble"), words));

/** What an officer has written to a partner, and on what. */
export interface Written {
  text: string;
  base: string;
  version: bigint;
}

const noteField = (referralId: string) => get<HTMLTextAreaElement>(id(referralId, "note"));

export function noteOf(referralId: string): Written {
  const field = noteField(referralId);
  return { text: field.value.trim(), base: field.defaultValue, version: BigInt(field.dataset.version ?? "0") };
}

/** What the officer has written stays in the field, whatever is heard, until it is saved or given up. */
export function holdNote(referralId: string, is: boolean): void {
  if (referralCard(referralId)) noteField(referralId).toggleAttribute("data-held", is);
}

/** What is typed there from now on is written on this. */
export function noteSaved(referralId: string, text: string, version: bigint): void {
  if (!referralCard(referralId)) return;
  const field = noteField(referralId);
  const typed = field.value;
  field.defaultValue = text;
  field.value = typed;
  field.dataset.version = String(version);
}

/** A colleague’s note beside the officer's own, to be put together; nothing, and it is gone. */
export function noteBeside(referralId: string, theirs: string | undefined): void {
  const card = referralCard(referralId);
  if (!card) return;
  const box = get(id(referralId, "beside"));
  card.querySelector<HTMLElement>('[data-part="note"]')!.dataset.standing = theirs === undefined ? "" : "clash";
  if (theirs === undefined) return box.replaceChildren();
  if (box.dataset.shown === theirs && box.firstChild) return;
  box.dataset.shown = theirs;
  const list = make("dl", "", { class: "clash-both" });
  list.append(make("dt", "Theirs"), make("dd", theirs || "–"));
  const row = make("div", "", { class: "row" });
  row.append(press("note-mine", "Keep yours"), press("note-theirs", "Take theirs"));
  box.replaceChildren(make("p", "A colleague has changed this note meanwhile. Yours stands in the field: put the two together there, or choose one.", { class: "clash-words", role: "alert" }), list, row);
}

const press = (act: string, words: string, more = "govuk-button--secondary") => make("button", words, { type: "button", class: more === "link" ? more : `govuk-button ${more}`, "data-act": act });

/** A line to be typed, with what is done with it. */
function line(name: string, part: string, label: string, max: number, act: string, words: string): HTMLElement {
  const row = make("div", "", { class: "r-line", "data-part": part });
  row.append(make("label", label, { class: "govuk-label", for: `${name}-${part}` }), make("input", "", { class: "govuk-input", id: `${name}-${part}`, maxlength: String(max), autocomplete: "off" }), press(act, words));
  return row;
}

/** Why the force may pass it on: of its kind, as the force has it. */
export const basisOf = (kind: ReferralKind | undefined) => (kind?.lawfulBasis ? `Lawful basis: ${kind.lawfulBasis}` : "");

export function drawReferral({ referralId, kind }: Referral): HTMLElement {
  const name = id(referralId);
  const one = make("section", "", { class: "referral", id: name, "data-referral": referralId, "data-kind": kind, "aria-labelledby": `${name}-title` });
  const head = make("div", "", { class: "r-head" });
  head.append(make("h3", "", { class: "govuk-heading-s", id: `${name}-title`, tabindex: "-1" }), make("strong", "", { id: `${name}-state`, class: "govuk-tag" }));
  const partner = make("div", "", { class: "r-line", "data-part": "partner" });
  partner.append(make("label", "Goes to", { class: "govuk-label", for: `${name}-partner` }), make("select", "", { class: "govuk-select", id: `${name}-partner`, "data-change": "" }));
  const note = make("div", "", { class: "r-line", "data-part": "note" });
  note.append(make("label", "Your note to them", { class: "govuk-label", for: `${name}-note` }), make("textarea", "", { class: "govuk-textarea", id: `${name}-note`, rows: "1", maxlength: "2000", autocomplete: "off", "data-change": "" }));
  const consent = make("div", "", { class: "r-consent", "data-part": "consent" });
  consent.append(make("p", "It needs the caller’s yes."), press("consent", "Write their yes down"));
  const says = make("details", "", { class: "r-says" });
  says.append(make("summary", "", { id: `${name}-says` }), make("dl", "", { id: `${name}-fields`, class: "r-fields" }));
  const send = make("div", "", { class: "row", "data-part": "send" });
  send.append(press("send", "Send", ""), press("told", "I have told them by phone"));
  const more = make("div", "", { class: "row r-more", "data-part": "more" });
  more.append(press("outcome-open", "What came of it", "link"), press("consent-back", "They take their yes back", "link"), press("withdraw-open", "Take it back", "link"));
  one.append(
    head,
    make("p", "", { class: "hush", id: `${name}-why` }),
    make("div", "", { class: "r-clocks", id: `${name}-clocks` }),
    make("div", "", { class: "r-missing", id: `${name}-missing` }),
    consent,
    partner,
    note,
    make("div", "", { class: "clash", id: `${name}-beside` }),
    says,
    make("ol", "", { class: "r-way", id: `${name}-way` }),
    send,
    ...(isByStages(kind) ? [drawStages(name)] : []),
    line(name, "by-hand", "Whom you have told", 100, "by-hand", "They know"),
    line(name, "acknowledged", "Who said that they have it", 100, "acknowledge", "They have it"),
    line(name, "outcome", "What came of it", 500, "outcome", "Write it down"),
    more,
    line(name, "withdraw", "Why it is taken back", 200, "withdraw", "Take it back"),
    make("p", "", { class: "trouble", id: `${name}-trouble`, role: "alert" }),
  );
  for (const part of ["by-hand", "outcome", "withdraw"]) show(one, part, false);
  return one;
}

export function renderReferral(referral: Referral, { kind, child, clocks }: About): void {
  const { referralId, state, missing, fields, blockedBy } = referral;
  const card = referralCard(referralId)!;
  const isDraft = state === ReferralState.DRAFT;
  card.dataset.state = ReferralState[state].toLowerCase();
  say(id(referralId, "title"), [referral.title, child && personTitle(child)].filter(Boolean).join(": "));
  const [words, colour] = STATES[state];
  const failed = referral.delivery?.state === DeliveryState.FAILED && state === ReferralState.SENT;
  say(id(referralId, "state"), failed ? "Not delivered" : words);
  get(id(referralId, "state")).className = `govuk-tag govuk-tag--${failed ? "red" : colour}`;
  say(id(referralId, "why"), [referral.madeBecause && `Drafted by rule: ${referral.madeBecause}`, isDraft && basisOf(kind)].filter(Boolean).join(" · "));
  lines(id(referralId, "clocks"), clocks.map((clock) => [`${clock.title}: `, clock]));
  if (isDraft) lacks(referralId, missing, fields);
  else get(id(referralId, "missing")).replaceChildren();
  show(card, "consent", blockedBy.includes("CONSENT_MISSING"));
  for (const part of ["partner", "note", "send"]) show(card, part, isDraft);
  if (!isDraft) show(card, "by-hand", false);
  show(card, "acknowledged", state === ReferralState.SENT && !referral.acknowledgedAt);
  show(card, "more", OPEN.includes(state));
  const acts = (act: string, is: boolean) => (card.querySelector<HTMLElement>(`[data-act="${act}"]`)!.hidden = !is);
  acts("send", !blockedBy.includes("NO_ROUTE") && referral.partner?.route !== Route.NONE);
  acts("outcome-open", !isDraft && !isByStages(referral.kind));
  acts("consent-back", Boolean(kind?.consentRequired) && !blockedBy.includes("CONSENT_MISSING") && !referral.consentWithdrawn);
  if (!OPEN.includes(state)) for (const part of ["outcome", "withdraw"]) show(card, part, false);
  says(referralId, referral);
  way(referralId, referral);
  note(referralId, referral);
  const partner = typedIn(referralId, "partner") as unknown as HTMLSelectElement;
  if (referral.partner) choose(partner, referral.partner);
  else if (isDraft && document.activeElement !== partner) partner.value = "";
}

/** To the first draft that waits for somebody; the drafts stand before the others. */
export function goToDraft(): void {
  const first = get("referrals").querySelector<HTMLElement>('.referral[data-state="draft"] h3');
  (first ?? get("help-kind")).focus({ preventScroll: true });
  first?.scrollIntoView({ block: "nearest" });
}

export function show(card: HTMLElement, part: string, is: boolean): void {
  card.querySelector<HTMLElement>(`[data-part="${part}"]`)!.hidden = !is;
}

function lines(list: string, all: [string, Clock][]): void {
  const state = JSON.stringify(all.map(([title, clock]) => [title, clock.state, String(clock.dueAt?.seconds)]));
  const box = get(list);
  if (box.dataset.shown === state) return;
  box.dataset.shown = state;
  box.replaceChildren(
    ...all.map(([title, clock]) => {
      const p = make("p", title);
      p.append(clockWords(clock));
      return p;
    }),
  );
}

/** Each leads to where it is written down. */
function lacks(referralId: string, missing: string[], fields: Referral["fields"]): void {
  const box = get(id(referralId, "missing"));
  const state = missing.join();
  if (box.dataset.shown === state) return;
  box.dataset.shown = state;
  if (missing.length === 0) return box.replaceChildren();
  box.replaceChildren(make("span", "Missing: "), ...missing.map((key) => make("button", fields.find((one) => one.key === key)?.label ?? key, { type: "button", class: "link", "data-missing": key })));
}

function says(referralId: string, { fields, state }: Referral): void {
  const filled = fields.filter(({ value }) => value !== "").length;
  say(id(referralId, "says"), state === ReferralState.DRAFT ? `What it will say (${filled} of ${fields.length})` : "What it says");
  const list = get(id(referralId, "fields"));
  list.replaceChildren(...fields.flatMap(({ label, value, required }) => [make("dt", label), make("dd", value || (required ? "missing" : "not known"), { "data-empty": String(value === "") })]));
}

/** What became of it, in order. */
function way(referralId: string, referral: Referral): void {
  const { delivery, partner } = referral;
  const at = (stamp: Referral["sentAt"]) => (stamp ? moment(timestampDate(stamp)) : "");
  const steps: string[] = [];
  if (referral.byHand) steps.push(`${at(referral.sentAt)}: ${referral.byHand} was told by ${referral.sentBy}`);
  else if (referral.sentAt) steps.push(`${at(referral.sentAt)}: sent to ${partner?.name ?? "the partner"} by ${referral.sentBy}`);
  if (delivery?.state === DeliveryState.WAITING) {
    const next = delivery.nextAttemptAt ? `, again at ${time(timestampDate(delivery.nextAttemptAt))}` : "";
    steps.push(delivery.attempts > 0 ? `Not taken yet: ${delivery.problem}. Tried ${delivery.attempts} ${delivery.attempts === 1 ? "time" : "times"}${next}` : "On its way");
  }
  if (delivery?.state === DeliveryState.DELIVERED) steps.push("Their server has it");
  if (delivery?.state === DeliveryState.FAILED) steps.push(`Not delivered: ${delivery.problem}. Ring them${partner?.phone ? `: ${national(partner.phone)}` : ""}`);
  if (referral.acknowledgedAt) steps.push(`${at(referral.acknowledgedAt)}: ${referral.acknowledgedBy || "the partner"} has it`);
  if (referral.outcomeAt) steps.push(`${at(referral.outcomeAt)}: ${referral.outcome}`);
  if (referral.consentWithdrawn) steps.push("The caller has taken their yes back: the partner is told to stop");
  if (referral.state === ReferralState.WITHDRAWN) steps.push(`Taken back: ${referral.withdrawnWhy}`);
  get(id(referralId, "way")).replaceChildren(...steps.map((words) => make("li", words)));
}

function note(referralId: string, { note: text, noteVersion }: Referral): void {
  const field = noteField(referralId);
  if (field.hasAttribute("data-held") || (document.activeElement === field && field.value !== field.defaultValue)) return;
  if (field.value !== text) field.value = text;
  field.defaultValue = text;
  field.dataset.version = String(noteVersion);
}

/** Whom the drafts of a kind can go to. */
export function renderPartners(kind: string, partners: Partner[]): void {
  for (const card of get("referrals").querySelectorAll<HTMLElement>(".referral")) {
    if (card.dataset.kind !== kind) continue;
    const select = get<HTMLSelectElement>(id(card.dataset.referral!, "partner"));
    const state = partners.map(({ partnerId, inArea }) => `${partnerId}${inArea}`).join();
    if (select.dataset.state === state) continue;
    select.dataset.state = state;
    const chosen = select.selectedOptions[0];
    const other = chosen?.value && !partners.some(({ partnerId }) => partnerId === chosen.value) ? [chosen] : [];
    select.replaceChildren(make("option", "Choose…", { value: "" }), ...partners.map(option), ...other);
    if (chosen) select.value = chosen.value;
  }
}

const ROUTES: Partial<Record<Route, string>> = { [Route.NONE]: "by phone only" };

function option({ partnerId, name, inArea, route, phone }: Partner): HTMLElement {
  const more = [inArea ? "" : "another area", ROUTES[route] ?? "", route === Route.NONE && phone ? national(phone) : ""].filter(Boolean).join(", ");
  return make("option", more ? `${name} (${more})` : name, { value: partnerId });
}

function choose(select: HTMLSelectElement, partner: Partner): void {
  if (![...select.options].some(({ value }) => value === partner.partnerId)) select.append(option(partner));
  if (document.activeElement !== select) select.value = partner.partnerId;
}
