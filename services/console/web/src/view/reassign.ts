// To whom a call is given, and why. What is done about it is in ../reassign.ts.
import { get, make, say } from "../dom";
import type { OfficerAtDesk } from "../gen/alcove/transfer/v1/service_pb";
import { free } from "./officers";

/** The choice that has to be said in words. */
const OTHER = "other";

/** Who could be given it: whoever is free, and who had it before, for they may still be with the caller though they are away. */
function whom(officers: OfficerAtDesk[], before: ReadonlySet<string>): { id: string; words: string }[] {
  const ready = free(officers);
  const back = officers.filter((one) => before.has(one.officerId) && one.callId === "" && !ready.includes(one));
  return [...ready.map(({ officerId: id }) => ({ id, words: id })), ...back.map(({ officerId: id }) => ({ id, words: `${id}, who had it before` }))];
}

/** `waits`: nobody has it, so that it can be rung back instead. */
export function openGive(callId: string, what: string, waits: boolean, officers: OfficerAtDesk[], before: ReadonlySet<string>): void {
  get<HTMLFormElement>("give-form").reset();
  get("give").dataset.call = callId;
  say("give-what", what);
  get("give-later").hidden = !waits;
  say("give-trouble", "");
  get("give-to").replaceChildren();
  renderGive(officers, before);
  renderReason();
  get<HTMLDialogElement>("give").showModal();
}

/** Who is free changes while it is asked: what was chosen stays, if they are still there. */
export function renderGive(officers: OfficerAtDesk[], before: ReadonlySet<string>): void {
  const to = get<HTMLSelectElement>("give-to");
  const all = [{ id: "", words: "Choose…" }, ...whom(officers, before)];
  if (all.map(({ words }) => words).join() === [...to.options].map(({ text }) => text).join()) return;
  const chosen = to.value;
  to.replaceChildren(...all.map(({ id, words }) => make("option", words, { value: id })));
  // Whoever was chosen and has gone is nobody: a call must not go to the next on the list.
  to.value = all.some(({ id }) => id === chosen) ? chosen : "";
  const nobody = all.length === 1;
  get("give-whom").hidden = nobody;
  get("give-nobody").hidden = !nobody;
  get<HTMLButtonElement>("give-go").disabled = nobody;
}

export function renderReason(): void {
  get("give-other").hidden = get<HTMLSelectElement>("give-why").value !== OTHER;
}

/** An empty reason: it isn't said yet. */
export function given(): { callId: string; toOfficerId: string; reason: string } {
  const why = get<HTMLSelectElement>("give-why").value;
  return {
    callId: get("give").dataset.call ?? "",
    toOfficerId: get<HTMLSelectElement>("give-to").value,
    reason: why === OTHER ? get<HTMLInputElement>("give-words").value.trim() : why,
  };
}
