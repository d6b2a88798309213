// When the desk closes or opens, and when the officer's own shift ends, as far as the desk knows.
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { get, say } from "../dom";
import type { WatchDeskResponse } from "../gen/alcove/transfer/v1/service_pb";

const TIME = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", weekday: "short", day: "numeric" });
const HALF_A_DAY = 12 * 3_600_000;

/** "23:00", with the day before it where the next one of that hour isn't meant. */
export function hour(at: Timestamp, now = new Date()): string {
  const date = timestampDate(at);
  const isNear = DAY.format(date) === DAY.format(now) || Math.abs(date.getTime() - now.getTime()) < HALF_A_DAY;
  return isNear ? TIME.format(date) : `${DAY.format(date)}, ${TIME.format(date)}`;
}

type Hours = Pick<WatchDeskResponse, "deskClosesAt" | "deskOpensAt" | "shiftEndsAt">;

export function deskHours({ deskClosesAt, deskOpensAt }: Hours, now = new Date()): string {
  if (deskOpensAt) return `The desk is closed until ${hour(deskOpensAt, now)}.`;
  return deskClosesAt ? `The desk closes at ${hour(deskClosesAt, now)}.` : "";
}

export function renderHours(desk: Hours): void {
  const now = new Date();
  const shift = desk.shiftEndsAt ? `Your shift ends at ${hour(desk.shiftEndsAt, now)}.` : "";
  const ofDesk = deskHours(desk, now);
  say("hours-desk", [ofDesk, shift].filter(Boolean).join(" "));
  say("hours-overview", ofDesk);
  for (const id of ["hours-desk", "hours-overview"]) get(id).dataset.closed = desk.deskOpensAt ? "yes" : "no";
}
