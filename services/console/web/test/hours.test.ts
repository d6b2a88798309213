import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { hour, span } from "../src/format";
import { deskHours } from "../src/view/hours";

const at = (iso: string) => timestampFromDate(new Date(iso));
const now = new Date("2026-11-27T20:00:00Z");

test("an hour of today, of tonight, and of another day", () => {
  expect(hour(new Date("2026-11-27T23:00:00Z"), now)).toBe("23:00");
  expect(hour(new Date("2026-11-28T02:00:00Z"), now)).toBe("02:00");
  expect(hour(new Date("2026-11-30T07:00:00Z"), now)).toBe("Mon 30, 07:00");
});

test("the same weekday and number of another month is not today, and its month is said beyond six days", () => {
  const [february, march] = [new Date("2026-02-27T12:00:00Z"), (hours: number) => new Date(Date.parse("2026-03-27T00:00:00Z") + hours * 3_600_000)];
  expect(hour(march(9), february)).toBe("Fri 27 Mar, 09:00");
  expect(span(march(9), march(17), february)).toBe("Fri 27 Mar, 09:00 to 17:00");
  expect(span(february, march(17), february)).toBe("12:00 to Fri 27 Mar, 17:00");
  expect([5, 6].map((day) => hour(new Date(`2026-03-0${day}T07:00:00Z`), february))).toEqual(["Thu 5, 07:00", "Fri 6 Mar, 07:00"]);
  // By the day in Britain: half past eleven in the evening by Greenwich is tomorrow there in summer.
  expect(hour(new Date("2026-07-22T23:30:00Z"), new Date("2026-07-16T01:00:00Z"))).toBe("Thu 23 Jul, 00:30");
});

test("from an hour to another, with the days where they aren't today's or the same", () => {
  const spans = (from: string, until: string) => span(new Date(from), new Date(until), now);
  expect(spans("2026-11-27T21:00:00Z", "2026-11-28T05:00:00Z")).toBe("21:00 to 05:00");
  expect(spans("2026-11-28T09:00:00Z", "2026-11-28T23:00:00Z")).toBe("Sat 28, 09:00 to 23:00");
  expect(spans("2026-11-27T09:00:00Z", "2026-11-30T17:00:00Z")).toBe("09:00 to Mon 30, 17:00");
});

test("the desk's hours, in Britain's time", () => {
  const nothing = { deskClosesAt: undefined, deskOpensAt: undefined, shiftEndsAt: undefined };
  expect(deskHours(nothing, now)).toBe("");
  expect(deskHours({ ...nothing, deskClosesAt: at("2026-11-27T23:00:00Z") }, now)).toBe("The desk closes at 23:00.");
  expect(deskHours({ ...nothing, deskOpensAt: at("2026-07-28T06:00:00Z") }, new Date("2026-07-28T01:00:00Z"))).toBe("The desk is closed until 07:00.");
});
