import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { deskHours, hour } from "../src/view/hours";

const at = (iso: string) => timestampFromDate(new Date(iso));
const now = new Date("2026-11-27T20:00:00Z");

test("an hour of today, of tonight, and of another day", () => {
  expect(hour(at("2026-11-27T23:00:00Z"), now)).toBe("23:00");
  expect(hour(at("2026-11-28T02:00:00Z"), now)).toBe("02:00");
  expect(hour(at("2026-11-30T07:00:00Z"), now)).toBe("Mon 30, 07:00");
});

test("the desk's hours, in Britain's time", () => {
  const nothing = { deskClosesAt: undefined, deskOpensAt: undefined, shiftEndsAt: undefined };
  expect(deskHours(nothing, now)).toBe("");
  expect(deskHours({ ...nothing, deskClosesAt: at("2026-11-27T23:00:00Z") }, now)).toBe("The desk closes at 23:00.");
  expect(deskHours({ ...nothing, deskOpensAt: at("2026-07-28T06:00:00Z") }, new Date("2026-07-28T01:00:00Z"))).toBe("The desk is closed until 07:00.");
});
