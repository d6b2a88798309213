// Whether an offer would be heard, said before there is one.
import { get, say } from "../dom";
import { chime, isReady, makeReady } from "../sound";

function render(): void {
  say("ready-sound", isReady() ? "An offer will ring." : "An offer would be silent: press any key once.");
  get("ready-sound").dataset.ready = String(isReady());
}

export function followSound(): void {
  render();
  const pressed = () => void makeReady(render).then(render);
  for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, pressed);
  get("try-sound").addEventListener("click", () => void makeReady(render).then(chime));
}
