// The row of chapters, and what was last marked. What is done about it is in ../call.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../dom";
import { clock } from "../format";
import { ChapterKind, type MarkChapterResponse } from "../gen/alcove/session/v1/service_pb";
import { addMark } from "./timeline";

const WORDS: Record<Exclude<ChapterKind, ChapterKind.UNSPECIFIED>, string> = {
  [ChapterKind.CONSENT]: "Consent",
  [ChapterKind.ACCOUNT]: "Account",
  [ChapterKind.CHILD]: "Child",
  [ChapterKind.SURROUNDINGS]: "Surroundings",
  [ChapterKind.INJURIES]: "Injuries",
  [ChapterKind.BREAK]: "Break",
  [ChapterKind.OTHER]: "Other",
};

export function renderChapters(): void {
  const buttons = Object.entries(WORDS).map(([kind, words]) => make("button", words, { type: "button", class: "govuk-button govuk-button--secondary", "data-chapter": kind }));
  get("chapters").replaceChildren(...buttons);
}

export function clearChapters(): void {
  get<HTMLInputElement>("chapter-note").value = "";
  say("chapter-said", "");
}

/** The note goes with one chapter. */
export function takeNote(): string {
  const field = get<HTMLInputElement>("chapter-note");
  const note = field.value;
  field.value = "";
  return note;
}

export function renderMarked(kind: ChapterKind, note: string, { number, at }: MarkChapterResponse): void {
  const when = at ? timestampDate(at) : new Date();
  const words = kind === ChapterKind.UNSPECIFIED ? "" : WORDS[kind];
  say("chapter-said", `Chapter ${number} at ${clock(when)}: ${words}`);
  addMark("chapter", note ? `${words}: ${note}` : words, when);
}
