// The buttons of a call's screen that need no module of their own, for whichever call there is.
import type { Call } from "./call";
import { get, onClick, say } from "./dom";
import { Role } from "./gen/alcove/session/v1/service_pb";
import { renderChapters } from "./view/chapters";
import { takeReason, typedOrder } from "./view/recording";

export function followCall(current: () => Call | undefined): void {
  onClick("reissue", async (button) => {
    button.disabled = true;
    await current()?.people.invite();
    button.disabled = false;
  });
  onClick("withdraw", async (button) => {
    button.disabled = true;
    await current()?.people.withdraw();
    button.disabled = false;
  });
  onClick("text", async (button) => {
    button.disabled = true;
    await current()?.people.text(get<HTMLInputElement>("text-number").value);
    button.disabled = false;
  });
  for (const [id, role] of [["ask-interpreter", Role.INTERPRETER], ["ask-supporter", Role.SUPPORTER]] as const) {
    onClick(id, async (button) => {
      button.disabled = true;
      await current()?.people.invite(role);
      button.disabled = false;
    });
  }
  get("people").addEventListener("click", async (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button[data-act]");
    if (!button) return;
    const { act, participant = "" } = button.dataset;
    button.disabled = true;
    await (act === "admit" ? current()?.people.admit(participant) : current()?.people.remove(participant));
    button.disabled = false;
  });
  onClick("still", async (button) => {
    button.disabled = true;
    const still = await current()?.still();
    if (still) button.dataset.rtp = String(still.rtpTimestamp);
    button.disabled = false;
  });
  onClick("ask-photo", async (button) => {
    button.disabled = true;
    await current()?.askForPhotograph();
    button.disabled = false;
  });
  get("record").addEventListener("click", async (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button[data-order]");
    const order = button && typedOrder(button);
    if (!button || !order) return;
    button.disabled = true;
    if (await current()?.record(order.action, order.reason)) get<HTMLInputElement>("record-reason").value = "";
    button.disabled = false;
  });
  get("chat-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = get<HTMLInputElement>("chat-text");
    const value = field.value;
    if (!value.trim()) return;
    field.value = "";
    // What wasn't sent is not lost.
    if (!(await current()?.chat.send({ case: "text", value })) && !field.value) field.value = value;
  });
  onClick("chat-say", async (button) => {
    button.disabled = true;
    await current()?.chat.send({ case: "phrase", value: get<HTMLSelectElement>("chat-phrase").value });
    button.disabled = false;
    button.focus();
  });
  renderChapters();
  get("chapters").addEventListener("click", async (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button[data-chapter]");
    if (!button) return;
    button.disabled = true;
    await current()?.mark(Number(button.dataset.chapter));
    button.disabled = false;
    button.focus();
  });
  get<HTMLSelectElement>("pretext").addEventListener("change", (event) => void current()?.agree((event.currentTarget as HTMLSelectElement).value));
  onClick("duress-see", () => void current()?.acknowledge());
  onClick("mute", (button) => {
    const off = current()?.mute(takeReason()) ?? false;
    button.setAttribute("aria-pressed", String(off));
    say("mute", off ? "Your microphone is off" : "Mute my microphone");
  });
}
