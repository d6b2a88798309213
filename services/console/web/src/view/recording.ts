// Whether the call is recorded, the pictures kept of it, and the buttons for both. What they do is in ../call.ts.
import { get, say } from "../dom";
import { RecordingAction, RecordingState, type Session } from "../gen/alcove/session/v1/service_pb";

const WORDS: Record<RecordingState, string> = {
  [RecordingState.UNSPECIFIED]: "",
  [RecordingState.ON]: "Recording",
  [RecordingState.PAUSED]: "Recording is paused",
  [RecordingState.STOPPED]: "Recording stopped: consent was withdrawn",
  [RecordingState.REFUSED]: "Not recorded: the caller refused",
};

const { PAUSE, RESUME, STOP } = RecordingAction;
/** What can be ordered then. */
const ORDERS: Partial<Record<RecordingState, RecordingAction[]>> = {
  [RecordingState.ON]: [PAUSE, STOP],
  [RecordingState.PAUSED]: [RESUME, STOP],
};
const ACTIONS: Record<string, RecordingAction> = { pause: PAUSE, resume: RESUME, stop: STOP };

export function clearRecording(): void {
  get("recording").hidden = true;
  get<HTMLInputElement>("record-reason").value = "";
  get("still").hidden = get("ask-photo").hidden = true;
  say("stills", "");
  renderOrders([]);
}

export function renderRecording(state: RecordingState): void {
  const recording = get("recording");
  recording.hidden = false;
  recording.dataset.recording = state === RecordingState.ON ? "yes" : "no";
  say("recording", WORDS[state]);
  renderOrders(ORDERS[state] ?? []);
}

/** Pictures can be kept of what is recorded, if the caller agrees. */
export function renderStills({ stills, stillsTaken, photographsTaken, recordingState }: Session): void {
  get("still").hidden = !stills || ORDERS[recordingState] === undefined;
  get("ask-photo").hidden = !stills || recordingState !== RecordingState.ON;
  say("stills", [counted(stillsTaken, "picture kept", "pictures kept"), counted(photographsTaken, "photograph sent", "photographs sent")].filter(Boolean).join(", "));
}

function counted(count: number, one: string, more: string): string {
  return count === 0 ? "" : count === 1 ? `1 ${one}` : `${count} ${more}`;
}

/** The order of a button, with the reason that was typed for it; undefined while one is needed and isn't there. */
export function typedOrder(button: HTMLButtonElement): { action: RecordingAction; reason: string } | undefined {
  const action = ACTIONS[button.dataset.order ?? ""]!;
  const field = get<HTMLInputElement>("record-reason");
  const reason = field.value.trim();
  if (reason === "" && action !== RESUME) {
    field.focus();
    return undefined;
  }
  return { action, reason };
}

/** What was typed as a reason, once: nobody who must be quiet at once has to type one. */
export function takeReason(): string {
  const field = get<HTMLInputElement>("record-reason");
  const reason = field.value.trim();
  field.value = "";
  return reason;
}

function renderOrders(possible: RecordingAction[]): void {
  get("record").hidden = possible.length === 0;
  for (const button of get("record").querySelectorAll("button")) {
    button.hidden = !possible.includes(ACTIONS[button.dataset.order ?? ""]!);
  }
}
