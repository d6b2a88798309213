// How much time a clock has left, in words.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { make } from "../../dom";
import { moment } from "../../format";
import { type Clock, ClockState } from "../../gen/alcove/referral/v1/help_pb";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const counted = (count: number, one: string) => `${count} ${one}${count === 1 ? "" : "s"}`;

function long(ms: number): string {
  if (ms >= 2 * DAY) return counted(Math.floor(ms / DAY), "day");
  const hours = Math.floor(ms / HOUR);
  const minutes = Math.floor((ms % HOUR) / MINUTE);
  if (hours >= 10 || (hours > 0 && minutes === 0)) return counted(hours, "hour");
  return hours > 0 ? `${counted(hours, "hour")} ${counted(minutes, "minute")}` : counted(Math.max(1, minutes), "minute");
}

/** "3 hours 20 minutes left", "2 days late". */
export function timeLeft(due: Date, now = Date.now()): string {
  const ms = due.getTime() - now;
  return ms > 0 ? `${long(ms)} left` : `${long(-ms)} late`;
}

/** The same with the moment: "3 hours left, until 27 Nov 2026, 18:05". */
const untilWords = (due: Date, now = Date.now()): string => `${timeLeft(due, now)}, ${due.getTime() > now ? "until" : "was due"} ${moment(due)}`;

/** How a clock stands; one that runs goes on saying so. */
export function clockWords(clock: Clock): HTMLElement {
  const late = clock.state === ClockState.MISSED || clock.state === ClockState.STOPPED_LATE;
  const attributes = { class: "clock-left", "data-state": ClockState[clock.state].toLowerCase(), title: clock.source };
  if (clock.state === ClockState.STOPPED || clock.state === ClockState.STOPPED_LATE || !clock.dueAt) return make("span", late ? "done, too late" : "done in time", attributes);
  const due = timestampDate(clock.dueAt);
  return make("span", untilWords(due), { ...attributes, "data-due": String(due.getTime()) });
}

/** As often as is useful. */
export function tickLeft(now = Date.now()): void {
  for (const one of document.querySelectorAll<HTMLElement>("[data-due]")) {
    const due = new Date(Number(one.dataset.due));
    const words = one.dataset.short ? timeLeft(due, now) : untilWords(due, now);
    if (one.textContent !== words) one.textContent = words;
  }
}
