import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { clock, hour, moment, span, spokenDay, time, wholeDay, weekday, zoned } from "../src/format";
import { deskHours } from "../src/view/hours";

const at = (iso: string) => timestampFromDate(new Date(iso));
const now = new Date("2026-11-27T20:00:00Z");

test("an hour of today, of tonight, and of another day", () => {
  expect(hour(new Date("2026-11-27T23:00:00Z"), now)).toBe("23:00");
  expect(hour(new Date("2026-11-28T02:00:00Z"), now)).toBe("02:00");
  expect(hour(new Date("2026-11-30T07:00:00Z"), now)).toBe("Mon 30, 07:00");
});

test("from an hour to another, with the days where they aren't today's or the same", () => {
  const spans = (from: string, until: string) => span(new Date(from), new Date(until), now);
  expect(spans("2026-11-27T21:00:00Z", "2026-11-28T05:00:00Z")).toBe("21:00 to 05:00");
  expect(spans("2026-11-28T09:00:00Z", "2026-11-28T23:00:00Z")).toBe("Sat 28, 09:00 to 23:00");
  expect(spans("2026-11-27T09:00:00Z", "2026-11-30T17:00:00Z")).toBe("09:00 to Mon 30, 17:00");
});

test("a time is Britain's, in summer, too", () => {
  const summer = new Date("2026-07-28T23:05:09Z");
  expect([time, clock, zoned, weekday, wholeDay, spokenDay, moment].map((said) => said(summer))).toEqual(
    ["00:05", "00:05:09", "00:05 BST", "Wed 29", "Wednesday 29 July", "Wednesday, 29 July 2026", "29 Jul 2026, 00:05"],
  );
});

test("the desk's hours, in Britain's time", () => {
  const nothing = { deskClosesAt: undefined, deskOpensAt: undefined, shiftEndsAt: undefined };
  expect(deskHours(nothing, now)).toBe("");
  expect(deskHours({ ...nothing, deskClosesAt: at("2026-11-27T23:00:00Z") }, now)).toBe("The desk closes at 23:00.");
  expect(deskHours({ ...nothing, deskOpensAt: at("2026-07-28T06:00:00Z") }, new Date("2026-07-28T01:00:00Z"))).toBe("The desk is closed until 07:00.");
});
