// Referrals and clocks on screen, and what can be added. What is done about it is in ../../work/help.ts.
import { get, make, say } from "../../dom";
import { type Clock, type ReferralKind, ReferralState } from "../../gen/alcove/referral/v1/help_pb";
import type { Person } from "../../gen/alcove/referral/v1/people_pb";
import type { Case } from "../../gen/alcove/referral/v1/service_pb";
import { clockWords } from "./left";
import { personTitle } from "./persons";
import { isByStages, renderStages } from "./stages";
import { basisOf, drawReferral, referralCard, renderReferral } from "./referral";

let kinds: ReferralKind[] = [];

export const addTrouble = (words: string) => say("help-trouble", words);

export function clearHelp(): void {
  kinds = [];
  for (const id of ["referrals", "clocks", "help-kind", "help-child"]) get(id).replaceChildren();
  for (const id of ["help-open", "help-trouble", "help-basis"]) say(id, "");
  // Nothing was heard of the case yet.
  get("referrals-none").hidden = true;
  get("clocks-part").hidden = true;
  get("help-child-row").hidden = true;
}

/** What needs the officer first, and what is closed last. */
const RANK: Record<ReferralState, number> = {
  [ReferralState.UNSPECIFIED]: 4,
  [ReferralState.DRAFT]: 0,
  [ReferralState.SENT]: 1,
  [ReferralState.ACKNOWLEDGED]: 2,
  [ReferralState.OUTCOME]: 3,
  [ReferralState.WITHDRAWN]: 4,
};

export function renderHelp(now: Case, known: ReferralKind[]): void {
  const list = get("referrals");
  const drafts = now.referrals.filter((one) => one.state === ReferralState.DRAFT).length;
  say("help-open", drafts > 0 ? String(drafts) : "");
  get("referrals-none").hidden = now.referrals.length > 0;
  const sorted = [...now.referrals].sort((a, b) => RANK[a.state] - RANK[b.state]);
  for (const one of [...list.children] as HTMLElement[]) if (!sorted.some(({ referralId }) => referralId === one.dataset.referral)) one.remove();
  const held = document.activeElement as HTMLElement | null;
  for (const [n, referral] of sorted.entries()) {
    const card = referralCard(referral.referralId) ?? drawReferral(referral);
    // One that is moved loses the focus, and a press of the mouse: so only what changes its place is, and of two the one that goes down.
    const there = list.children[n];
    if (there && there.nextElementSibling === card) list.append(there);
    else if (there !== card) list.insertBefore(card, there ?? null);
    renderReferral(referral, {
      kind: known.find(({ key }) => key === referral.kind),
      child: now.people.find(({ personId }) => personId === referral.personId),
      clocks: now.clocks.filter(({ referralId }) => referralId === referral.referralId),
    });
    if (isByStages(referral.kind)) renderStages(card.id, referral, now.disclosures.find(({ referralId }) => referralId === referral.referralId));
  }
  if (held && held !== document.activeElement && list.contains(held)) held.focus({ preventScroll: true });
  renderClocks(now.clocks.filter(({ referralId }) => !now.referrals.some((one) => one.referralId === referralId)));
}

/** The clocks that no referral of these has. */
function renderClocks(clocks: Clock[]): void {
  get("clocks-part").hidden = clocks.length === 0;
  get("clocks").replaceChildren(
    ...clocks.map((clock) => {
      const li = make("li");
      li.append(make("strong", clock.title), " ", clockWords(clock));
      // What it waits for is begun from here, once the call is over.
      if (clock.key === "photographs" && get("work").dataset.at === "after") li.append(" ", make("button", "Ring again for photographs", { type: "button", class: "link", "data-again": "" }));
      return li;
    }),
  );
}

export function renderKinds(all: ReferralKind[]): void {
  kinds = all;
  const none = make("option", "Choose…", { value: "" });
  get("help-kind").replaceChildren(none, ...all.map(({ key, title }) => make("option", title, { value: key })));
  renderChosen();
}

/** By what right the kind that is chosen is made, and whether it is about a child. */
export function renderChosen(): void {
  const kind = kinds.find(({ key }) => key === get<HTMLSelectElement>("help-kind").value);
  get("help-child-row").hidden = !kind?.aboutChild;
  say("help-basis", kind ? [basisOf(kind), kind.consentRequired ? "needs the caller’s yes" : "", kind.clockTitle].filter(Boolean).join(" · ") : "");
}

export function renderChildren(children: Person[]): void {
  const select = get<HTMLSelectElement>("help-child");
  const chosen = select.value;
  select.replaceChildren(...children.map((one) => make("option", personTitle(one), { value: one.personId })));
  if (children.some(({ personId }) => personId === chosen)) select.value = chosen;
}
