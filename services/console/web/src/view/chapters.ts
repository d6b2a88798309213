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

/** Of this call, as far as they were marked on this page: number and words. */
const marked = new Map<number, string>();

/** Those, and these others that are known by their numbers only. */
export function chaptersOfCall(others: number[]): [number, string][] {
  const numbers = [...new Set([...marked.keys(), ...others])].sort((a, b) => a - b);
  return numbers.map((number) => [number, `${number}${marked.has(number) ? ` ${marked.get(number)}` : ""}`]);
}

export function renderChapters(): void {
  const buttons = Object.entries(WORDS).map(([kind, words]) => make("button", words, { type: "button", class: "govuk-button govuk-button--secondary", "data-chapter": kind }));
  get("chapters").replaceChildren(...buttons);
}

export function clearChapters(): void {
  get<HTMLInputElement>("chapter-note").value = "";
  say("chapter-said", "");
  marked.clear();
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
  marked.set(number, `${words} ${clock(when)}`);
  addMark("chapter", note ? `${words}: ${note}` : words, when);
}
