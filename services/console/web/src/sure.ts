// Asks before what can't be taken back.
import { get, say } from "./dom";

export interface Question {
  title: string;
  words: string;
  /** What is done, on the button that does it. */
  go: string;
}

export function sure({ title, words, go }: Question): Promise<boolean> {
  const dialog = get<HTMLDialogElement>("sure");
  say("sure-title", title);
  say("sure-words", words);
  say("sure-go", go);
  return new Promise((answer) => {
    const press = (id: string, yes: boolean) => {
      get(id).onclick = () => {
        answer(yes);
        dialog.close();
      };
    };
    press("sure-go", true);
    press("sure-stay", false);
    // However else it was closed. The event comes late, and may be of the question before.
    dialog.onclose = () => {
      if (dialog.open) return;
      answer(false);
      // It may name officers.
      say("sure-words", "");
    };
    dialog.showModal();
  });
}
