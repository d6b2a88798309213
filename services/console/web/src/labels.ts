// What a picture that was kept shows. The contract has no field for it: it is the note of a chapter, which names the picture, so that it is
// evidence like everything that an officer marks.
import { get, say } from "./dom";
import type { ChapterKind } from "./gen/alcove/session/v1/service_pb";
import { labelled, openLabel, renderLabel, renderLabelled } from "./view/label";

/** Marks something in the call with a note; says whether it was done. */
export interface Marks {
  mark(kind: ChapterKind, note: string): Promise<boolean>;
}

export function followLabels(current: () => Marks | undefined): void {
  const dialog = get<HTMLDialogElement>("label");
  get("tray").addEventListener("click", (event) => {
    const number = (event.target as HTMLElement).closest<HTMLElement>("button[data-label]")?.dataset.label;
    if (number) openLabel(number);
  });
  get("label-form").addEventListener("change", renderLabel);
  get("label-leave").addEventListener("click", () => dialog.close());
  get("label-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const label = labelled();
    if (!label) return;
    const { number, kind, words } = label;
    const button = get<HTMLButtonElement>("label-write");
    button.disabled = true;
    say("label-trouble", "");
    const written = await current()?.mark(kind, `still-${number}: ${words}`);
    button.disabled = false;
    // What was chosen is not lost.
    if (!written) return say("label-trouble", "It was not written down. Try again.");
    renderLabelled(number, words);
    if (get("label").dataset.number === number) dialog.close();
  });
}
