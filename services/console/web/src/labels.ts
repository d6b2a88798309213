// What a picture that was kept shows. The contract has no field for it: it is the note of a chapter, which names the picture, so that it is
// evidence like everything that an officer marks.
import { get } from "./dom";
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
    dialog.close();
    const { number, kind, words } = label;
    if (await current()?.mark(kind, `still-${number}: ${words}`)) renderLabelled(number, words);
  });
}
