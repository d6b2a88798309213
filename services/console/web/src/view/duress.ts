// The caller has asked for help without saying so. Nothing here makes a sound or moves: it would show in the officer's face, or be heard
// where the caller is. What is done about it is in ../call.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, say } from "../dom";
import { clock } from "../format";
import { DuressHow, type Session } from "../gen/alcove/session/v1/service_pb";

/** What they asked last. */
export interface Asked {
  how: "word" | "corner";
  at: Date;
  count: number;
  /** When the officer has seen it. */
  seen?: Date;
}

const HOW = { word: "By their word, in what they wrote", corner: "By three taps on the top of their page" };

/** As the session's row has it. */
export function askedIn({ duress }: Session): Asked | undefined {
  if (!duress?.raisedAt) return undefined;
  const how = duress.how === DuressHow.WORD ? "word" : "corner";
  const seen = duress.acknowledgedAt && { seen: timestampDate(duress.acknowledgedAt) };
  return { how, at: timestampDate(duress.raisedAt), count: duress.count, ...seen };
}

export function renderDuress(asked: Asked | undefined): void {
  const panel = get("duress");
  panel.hidden = !asked;
  panel.dataset.seen = asked?.seen ? "yes" : "no";
  get<HTMLButtonElement>("duress-see").hidden = Boolean(asked?.seen);
  say("duress-words", asked ? "They have asked for help without saying so. Do not say it aloud." : "");
  const often = asked && asked.count > 1 ? ` They have asked ${asked.count} times.` : "";
  say("duress-how", asked ? `${HOW[asked.how]}, at ${clock(asked.at)}.${often}` : "");
  say("duress-seen", asked?.seen ? `You have seen it, at ${clock(asked.seen)}, and the control room knows that.` : "");
}
