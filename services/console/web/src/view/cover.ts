// The caller has covered the call: what their phone shows instead, and what to say of it. What is done about it is in ../call.ts.
import { get, make, say } from "../dom";
import type { Session } from "../gen/alcove/session/v1/service_pb";

export function clearCover(): void {
  get("pretext").replaceChildren();
  say("pretext-say", "");
  renderCover(false);
}

/** What their phone can show, and what was agreed on; and what goes with that, should they cover the call. */
export function renderPretexts({ pretext, pretexts, coveredRecording }: Session): void {
  const chooser = get<HTMLSelectElement>("pretext");
  if (chooser.options.length !== pretexts.length) {
    chooser.replaceChildren(...pretexts.map(({ id, title }) => make("option", title, { value: id })));
  }
  chooser.value = pretext;
  const agreed = pretexts.find(({ id }) => id === pretext);
  say("pretext-say", agreed?.say ?? "");
  say("cover-say", agreed ? `If somebody asks: ${agreed.say}` : "");
  say("cover-recording", coveredRecording ? "It is recorded meanwhile: they agreed to that." : "Nothing is recorded meanwhile.");
}

/** Their picture stays in view, if it still comes: whoever came in may be seen in it. */
export function renderCover(covered: boolean): void {
  get("call").dataset.cover = covered ? "yes" : "no";
  get("cover").hidden = !covered;
  say("cover-words", covered ? "They have covered the call. Your voice is off." : "");
}
