// When the desk closes or opens, and when the officer's own shift ends, as far as the desk knows.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, say } from "../dom";
import { hour } from "../format";
import type { WatchDeskResponse } from "../gen/alcove/transfer/v1/service_pb";

type Hours = Pick<WatchDeskResponse, "deskClosesAt" | "deskOpensAt" | "shiftEndsAt">;

export function deskHours({ deskClosesAt, deskOpensAt }: Hours, now = new Date()): string {
  if (deskOpensAt) return `The desk is closed until ${hour(timestampDate(deskOpensAt), now)}.`;
  return deskClosesAt ? `The desk closes at ${hour(timestampDate(deskClosesAt), now)}.` : "";
}

export function renderHours(desk: Hours): void {
  const now = new Date();
  const shift = desk.shiftEndsAt ? `Your shift ends at ${hour(timestampDate(desk.shiftEndsAt), now)}.` : "";
  const ofDesk = deskHours(desk, now);
  say("hours-desk", [ofDesk, shift].filter(Boolean).join(" "));
  say("hours-overview", ofDesk);
  for (const id of ["hours-desk", "hours-overview"]) get(id).dataset.closed = desk.deskOpensAt ? "yes" : "no";
}
