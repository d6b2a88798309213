// What an officer has decided of a thing on the disclosure schedule, and whether it still stands as it stood then.
import type { Handling, ScheduleEntry } from "../gen/alcove/referral/v1/package_pb";

export interface Said {
  handling: Handling;
  reason: string;
}

/** A change, and what stood there when it was made. */
export interface Change extends Said {
  on: Pick<ScheduleEntry, "seen" | "handling" | "reason">;
}

export const isSame = (a: Said, b: Said): boolean => a.handling === b.handling && a.reason === b.reason;

/** What stands there is no longer what it was made on: to be chosen between. */
export const clashes = (entry: ScheduleEntry, change: Change | undefined): change is Change => change !== undefined && (change.on.seen !== entry.seen || !isSame(change.on, entry));
