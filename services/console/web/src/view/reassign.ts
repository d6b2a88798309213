// To whom a call is given, and why. What is done about it is in ../reassign.ts.
import { get, make, say } from "../dom";
import type { OfficerAtDesk } from "../gen/alcove/transfer/v1/service_pb";
import { free } from "./officers";

export function openGive(callId: string, what: string, officers: OfficerAtDesk[]): void {
  get<HTMLFormElement>("give-form").reset();
  get("give").dataset.call = callId;
  say("give-what", what);
  say("give-trouble", "");
  renderGive(officers);
  renderReason();
  get<HTMLDialogElement>("give").showModal();
}

/** Who is free changes while it is asked: what was chosen stays, if they are still there. */
export function renderGive(officers: OfficerAtDesk[]): void {
  const to = get<HTMLSelectElement>("give-to");
  const names = free(officers).map(({ officerId }) => officerId);
  if (names.length > 0 && names.join() === [...to.options].map(({ value }) => value).join()) return;
  const chosen = to.value;
  to.replaceChildren(...names.map((name) => make("option", name, { value: name })));
  if (names.includes(chosen)) to.value = chosen;
  get("give-whom").hidden = names.length === 0;
  get("give-nobody").hidden = names.length > 0;
  get<HTMLButtonElement>("give-go").disabled = names.length === 0;
}

export function renderReason(): void {
  get("give-other").hidden = get<HTMLSelectElement>("give-why").value !== "";
}

/** An empty reason: it isn't said yet. */
export function given(): { callId: string; toOfficerId: string; reason: string } {
  return {
    callId: get("give").dataset.call ?? "",
    toOfficerId: get<HTMLSelectElement>("give-to").value,
    reason: get<HTMLSelectElement>("give-why").value || get<HTMLInputElement>("give-words").value.trim(),
  };
}
