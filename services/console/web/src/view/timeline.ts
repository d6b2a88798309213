// The call so far: chapters, pictures, covers and changes of the recording, on a bar as long as the call and in a list. A page that was
// reloaded begins anew; the recording has all of it.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../dom";
import { clock, duration } from "../format";
import { RecordingState, type Session } from "../gen/alcove/session/v1/service_pb";

export type MarkKind = "chapter" | "still" | "cover" | "recording" | "consent" | "help";

interface Mark {
  kind: MarkKind;
  words: string;
  at: Date;
  dot: HTMLElement;
}

const RECORDING: Partial<Record<RecordingState, string>> = {
  [RecordingState.ON]: "Recording goes on",
  [RecordingState.PAUSED]: "Recording paused",
  [RecordingState.STOPPED]: "Recording stopped for good",
};

let started: Date | undefined;
let recorded: RecordingState | undefined;
let marks: Mark[] = [];
let chapter = "";

export function clearTimeline(): void {
  [started, recorded, marks, chapter] = [undefined, undefined, [], ""];
  get("timeline-bar").replaceChildren();
  get("timeline").replaceChildren();
  say("call-clock", "");
}

/** What goes on now, by the last chapter that was marked here. */
export function currentChapter(): string {
  return chapter;
}

export function addMark(kind: MarkKind, words: string, at = new Date()): void {
  if (kind === "chapter") chapter = words;
  const dot = make("span", "", { class: "dot", "data-kind": kind });
  marks.push({ kind, words, at, dot });
  get("timeline-bar").append(dot);
  const item = make("li", "", { "data-kind": kind });
  item.append(make("time", clock(at), { datetime: at.toISOString() }), make("span", words));
  const list = get("timeline");
  list.append(item);
  list.scrollTop = list.scrollHeight;
  tickTimeline();
}

/** What the session says of itself: since when it is, and how the recording stands. */
export function followSession({ startedAt, recordingState }: Session): void {
  started ??= startedAt && timestampDate(startedAt);
  const words = RECORDING[recordingState];
  if (recorded !== undefined && recorded !== recordingState && words) addMark("recording", words);
  recorded = recordingState;
  tickTimeline();
}

/** Once a second: the bar is always as long as the call. */
export function tickTimeline(now = Date.now()): void {
  if (!started) return;
  const long = Math.max(1, now - started.getTime());
  say("call-clock", duration(long));
  for (const { at, dot } of marks) dot.style.left = `${Math.min(100, Math.max(0, (100 * (at.getTime() - started.getTime())) / long))}%`;
}
