// Values as an officer reads them.
import { make } from "./dom";
import { ExhibitState } from "./gen/alcove/evidence/v1/service_pb";
import { type Incident, RiskGrade } from "./gen/alcove/intake/v1/service_pb";
import { SessionState } from "./gen/alcove/session/v1/service_pb";
import { toField } from "./typed-time";

/** "0:07", "12:30", "1:02:03". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Whole seconds until then, never negative; what is left of a second counts. */
export function secondsLeft(until: Date, now: number): number {
  return Math.max(0, Math.ceil((until.getTime() - now) / 1000));
}

export function risk(grade: RiskGrade): { word: string; key: "high" | "medium" | "standard" } {
  switch (grade) {
    case RiskGrade.HIGH:
      return { word: "High", key: "high" };
    case RiskGrade.MEDIUM:
      return { word: "Medium", key: "medium" };
    default:
      return { word: "Standard", key: "standard" };
  }
}

const RISK_COLOURS: Record<string, string> = { high: "red", medium: "orange", standard: "grey" };

/** The grade as a tag; `more` goes on behind the word. */
export function riskTag(grade: RiskGrade, more = ""): HTMLElement {
  const { word, key } = risk(grade);
  return make("strong", word + more, { class: `govuk-tag govuk-tag--${RISK_COLOURS[key]} risk` });
}

/** "1123 of 26 Nov 2026". */
export function incident(call: { incident?: Incident | undefined }): string {
  return call.incident ? `${call.incident.number} of ${dated(call.incident.date)}` : "—";
}

/** The same of an incident as the record writes it: "2026-11-26/1123". */
export function incidentOf(reference: string): string {
  const [date, number] = reference.split("/");
  return date && number ? `${number} of ${dated(date)}` : reference;
}

/** A force as it is written: "kent" is "Kent", "west-mercia" is "West Mercia", and initials are "WMP". */
export function forceName(id: string): string {
  if (id.length <= 3) return id.toUpperCase();
  return id.replace(/[-_]+/g, " ").replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}

/** Britain's time, on whatever clock the machine goes. */
function london(what: Intl.DateTimeFormatOptions): (at: Date | number) => string {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", ...what });
  return (at) => format.format(at);
}
const minutes = { hour: "2-digit", minute: "2-digit" } as const;
/** "18:05". */
export const time = london(minutes);
/** "18:05:09". */
export const clock = london({ ...minutes, second: "2-digit" });
/** "18:05 GMT". */
export const zoned = london({ ...minutes, timeZoneName: "short" });
/** "Fri 27". */
export const weekday = london({ weekday: "short", day: "numeric" });
/** "Friday 27 November". */
export const wholeDay = london({ weekday: "long", day: "numeric", month: "long" });
/** "Friday, 27 November 2026": as it is said for the record. */
export const spokenDay = london({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
/** "27 November 2026": as it is written under a statement. */
export const longDay = london({ day: "numeric", month: "long", year: "numeric" });
/** "27 Nov 2026, 18:05". */
export const moment = london({ dateStyle: "medium", timeStyle: "short" });

const DAY = 86_400_000;
const withMonth = london({ weekday: "short", day: "numeric", month: "short" });
/** Whole days of Britain's, to be compared: a weekday and its number come again in another month. */
const dayCount = (at: Date) => Date.parse(toField(at).slice(0, 10)) / DAY;

/** "Fri 27", with the month beyond six days: "Fri 27 Mar". */
function nearDay(at: Date, now: Date): string {
  return Math.abs(dayCount(at) - dayCount(now)) > 6 ? withMonth(at) : weekday(at);
}

/** "23:00", with the day before it where the next one of that hour isn't meant. */
export function hour(at: Date, now = new Date()): string {
  const isNear = dayCount(at) === dayCount(now) || Math.abs(at.getTime() - now.getTime()) < DAY / 2;
  return isNear ? time(at) : `${nearDay(at, now)}, ${time(at)}`;
}

/** "18:00 to 20:00", with the days where they are not today, or not the same. */
export function span(from: Date, until: Date, now = new Date()): string {
  const ends = dayCount(until) === dayCount(from) || until.getTime() - from.getTime() < DAY / 2 ? "" : `${nearDay(until, now)}, `;
  return `${dayCount(from) === dayCount(now) ? "" : `${nearDay(from, now)}, `}${time(from)} to ${ends}${time(until)}`;
}

/** A day that was written down, such as "2026-11-26". */
function written(what: Intl.DateTimeFormatOptions): (date: string) => string {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short", ...what });
  return (date) => {
    const at = Date.parse(`${date}T00:00:00Z`);
    return Number.isNaN(at) ? date : format.format(at);
  };
}
/** "26 Nov", where there is no room for all of it. */
export const day = written({});
/** "26 Nov 2026". */
const dated = written({ year: "numeric" });

/** The language's English name; the tag itself where there is none. */
export function language(tag: string): string {
  if (tag === "" || tag === "en") return "English";
  try {
    return new Intl.DisplayNames(["en-GB"], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

const SPOKEN: Record<string, string> = {
  A: "Alfa", B: "Bravo", C: "Charlie", D: "Delta", E: "Echo", F: "Foxtrot", G: "Golf", H: "Hotel", J: "Juliett",
  K: "Kilo", M: "Mike", N: "November", P: "Papa", Q: "Quebec", R: "Romeo", S: "Sierra", T: "Tango", V: "Victor",
  W: "Whiskey", X: "X-ray", Y: "Yankee", Z: "Zulu", "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four",
  "5": "five", "6": "six", "7": "seven", "8": "eight", "9": "nine",
};

/** A code as it is said on the phone: "Kilo, seven, Quebec, Foxtrot – two, Mike, nine, X-ray". */
export function spoken(code: string): string {
  return code
    .split("-")
    .map((half) => [...half.toUpperCase()].map((symbol) => SPOKEN[symbol] ?? symbol).join(", "))
    .join(" – ");
}

/** A number as it is typed in Britain, as the network takes it: "07700 900123" is "+447700900123". */
export function e164(typed: string): string {
  const digits = typed.replace(/[\s().-]/g, "").replace(/^00/, "+");
  return digits.startsWith("0") ? `+44${digits.slice(1)}` : digits;
}

/** The same as it is dialled in Britain: "+447700900123" is "07700 900123". */
export function national(number: string): string {
  const digits = /^\+44(\d{4})(\d{5,6})$/.exec(number);
  return digits ? `0${digits[1]} ${digits[2]}` : number;
}

/** A digest in groups of eight, to be compared by eye. */
export function digest(hex: string): string {
  return hex.match(/.{1,8}/g)?.join(" ") ?? "";
}

export const SESSION: Record<SessionState, { key: string; words: string }> = {
  [SessionState.UNSPECIFIED]: { key: "preparing", words: "Preparing the call…" },
  [SessionState.INVITED]: { key: "invited", words: "Waiting for the caller to join" },
  [SessionState.JOINED]: { key: "joined", words: "The caller is connecting…" },
  [SessionState.LIVE]: { key: "live", words: "Live: the voice line may be released" },
  [SessionState.ENDED]: { key: "ended", words: "The call has ended" },
};

export function endedBecause(reason: string): string {
  switch (reason) {
    case "OFFICER_ENDED":
      return "Call ended by you";
    case "RETURNED_TO_CONTROL_ROOM":
      return "Call given back to the control room";
    case "CALLER_LEFT":
      return "The caller has left";
    case "BOTH_GONE":
      return "Call ended: both sides were gone";
    case "VIDEO_CONSENT_WITHDRAWN":
      return "Call ended: the caller no longer agrees to video";
    default:
      return "Call ended";
  }
}

/** The way to the seal, in order, as far as an officer needs it. */
export const SEAL_STEPS: { state: ExhibitState; words: string }[] = [
  { state: ExhibitState.FENCED, words: "Recording closed" },
  { state: ExhibitState.MANIFESTED, words: "Manifest written" },
  { state: ExhibitState.SIGNED, words: "Signed" },
  { state: ExhibitState.SEALED, words: "Sealed" },
];
