// The keys that go straight to what is needed at once. Each only presses or focuses what is on the screen, so there is no second way of
// doing anything; keys without letters, because the officer writes to the caller.
import { get, view } from "./dom";
import { offerJustGone, tellMissed } from "./view/desk";
import { toRisk } from "./work/keys";

const press = (id: string) => () => get(id).click();
const focus = (id: string) => () => get(id).focus();
const chapter = () => get("chapters").querySelector<HTMLElement>("button")?.focus();

const GIVEN: Record<string, () => void> = { F2: press("take-over") };
const OFFER: Record<string, () => void> = { F2: press("accept"), F4: focus("reason") };
const CALL: Record<string, () => void> = { F2: focus("chat-text"), F4: chapter, F6: toRisk, F7: press("fast-track"), F8: press("still"), F9: press("mute") };

const LATE: Record<string, () => void> = { F2: () => tellMissed("The call isn’t offered to you any more.") };

/** What the key does now; nothing while something is being asked. */
export function actOf(key: string): (() => void) | undefined {
  if (["confirm", "fast-track-ask", "sign-out-ask", "give", "ringing", "label", "later", "sure"].some((id) => get<HTMLDialogElement>(id).open)) return undefined;
  const there = !get("given").hidden ? GIVEN : !get("offer").hidden ? OFFER : view() === "call" && get("observing").hidden ? CALL : view() !== "call" && offerJustGone() ? LATE : {};
  const act = there[key];
  return key === "F8" && get("still").hidden ? undefined : act;
}

export function followKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const act = actOf(event.key);
    if (!act) return;
    event.preventDefault();
    act();
  });
}
