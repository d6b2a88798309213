// Ready for calls: to say so, and whether an offer would be heard, before there is one.
import { get, say } from "../dom";
import { chime, isReady, makeReady } from "../sound";

/** The same as the switch in the bar, where somebody looks who has just sat down. */
export function renderReady(free: boolean, impossible: boolean): void {
  say("ready", free ? "Take a break" : "I am ready for calls");
  get("ready").classList.toggle("govuk-button--secondary", free);
  get<HTMLButtonElement>("ready").disabled = impossible;
}

function render(): void {
  say("ready-sound", isReady() ? "An offer will ring." : "An offer would be silent: press any key once.");
  get("ready-sound").dataset.ready = String(isReady());
}

export function followReady(): void {
  render();
  const pressed = () => void makeReady(render).then(render);
  for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, pressed);
  get("ready").addEventListener("click", () => get("presence").click());
  get("try-sound").addEventListener("click", () => void makeReady(render).then(chime));
}
