// The package's seal on screen: what was sealed so far and how that fares. What is done about it is in ../../work/package.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../../dom";
import { moment } from "../../format";
import { type SealedPackage, SealingState } from "../../gen/alcove/referral/v1/package_pb";

const STATES: Record<SealingState, [string, string, string]> = {
  [SealingState.UNSPECIFIED]: ["", "grey", ""],
  [SealingState.WAITING]: ["On its way", "yellow", "It goes by itself, as soon as the recording is sealed."],
  [SealingState.ADDED]: ["Being sealed", "blue", "Its documents are in the addendum."],
  [SealingState.SEALED]: ["Sealed", "green", ""],
  [SealingState.FAILED]: ["Refused", "red", "It can’t be sealed any more. Tell your sergeant."],
};

export const sealTrouble = (words: string) => say("seal-trouble", words);
export const reasonShown = () => !get("seal-why").hidden;

export function clearSealing(): void {
  get("sealings").replaceChildren();
  get<HTMLInputElement>("seal-reason").value = "";
  sealTrouble("");
  renderSealing([], [], false);
}

export function renderSealing(sealed: SealedPackage[], missing: string[], lent: boolean): void {
  const after = get("work").dataset.at === "after";
  get("seal-part").hidden = lent;
  get("seal-later").hidden = after;
  get("seal-form").hidden = !after;
  get("seal-why").hidden = missing.length === 0;
  say("seal-missing", missing.length > 0 ? `Missing: ${missing.join("; ")}.` : "");
  say("seal-go", sealed.length > 0 ? "Seal it anew" : "Seal the package");
  const list = get("sealings");
  const state = JSON.stringify(sealed.map(({ number, state, reference, problem, sealedAt }) => [number, state, reference, problem, String(sealedAt?.seconds)]));
  if (list.dataset.shown === state) return;
  list.dataset.shown = state;
  list.replaceChildren(...sealed.map(item));
}

function item({ number, state, officerId, askedAt, reference, sealedAt, scorePercent, problem }: SealedPackage): HTMLElement {
  const [words, colour, more] = STATES[state];
  const li = make("li", "", { "data-state": SealingState[state].toLowerCase() });
  const when = sealedAt ? `sealed ${moment(timestampDate(sealedAt))}` : askedAt ? `asked for ${moment(timestampDate(askedAt))}` : "";
  li.append(make("strong", `Package ${number}`), make("strong", words, { class: `govuk-tag govuk-tag--${colour}` }), make("span", [reference, `${scorePercent}%`, when, officerId].filter(Boolean).join(", "), { class: "filled" }));
  if (more) li.append(make("span", more, { class: "filled" }));
  if (problem && state !== SealingState.SEALED) li.append(make("span", `The evidence store said: ${problem}`, { class: "filled" }));
  return li;
}
