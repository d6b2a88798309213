import { expect, test } from "vitest";
import { clock, day, digest, duration, e164, endedBecause, incidentOf, language, moment, risk, secondsLeft, spoken, spokenDay, time, weekday, wholeDay, zoned } from "../src/format";
import { RiskGrade } from "../src/gen/alcove/intake/v1/service_pb";

test("time that has passed", () => {
  expect(duration(-5)).toBe("0:00");
  expect(duration(7_999)).toBe("0:07");
  expect(duration(750_000)).toBe("12:30");
  expect(duration(3_723_000)).toBe("1:02:03");
});

test("time that is left, never less than none", () => {
  const until = new Date(20_000);
  expect(secondsLeft(until, 0)).toBe(20);
  expect(secondsLeft(until, 19_001)).toBe(1);
  expect(secondsLeft(until, 25_000)).toBe(0);
});

test("a code as it is said on the phone", () => {
  expect(spoken("K7QF-2M9X")).toBe("Kilo, seven, Quebec, Foxtrot – two, Mike, nine, X-ray");
  // Every symbol of Crockford's base32 has a word.
  for (const symbol of "0123456789ABCDEFGHJKMNPQRSTVWXYZ") expect(spoken(symbol).length).toBeGreaterThan(2);
});

test("a number as the network takes it", () => {
  for (const typed of ["07700 900123", "(07700) 900-123", "+44 7700 900 123", "0044 7700 900123"]) expect(e164(typed)).toBe("+447700900123");
  expect([e164(""), e164("+353 85 012 3456")]).toEqual(["", "+353850123456"]);
});

test("words of the desk", () => {
  expect(language("")).toBe("English");
  expect(language("pa")).toBe("Punjabi");
  expect(language("not a tag")).toBe("not a tag");
  expect(risk(RiskGrade.UNSPECIFIED).key).toBe("standard");
  expect(endedBecause("CALLER_LEFT")).toBe("The caller has left");
  expect(endedBecause("VIDEO_CONSENT_WITHDRAWN")).toBe("Call ended: the caller no longer agrees to video");
  expect(endedBecause("RETURNED_TO_CONTROL_ROOM")).toBe("Call given back to the control room");
  // Every reason of session/v1's has words of its own.
  const reasons = ["OFFICER_ENDED", "RETURNED_TO_CONTROL_ROOM", "CALLER_LEFT", "BOTH_GONE", "VIDEO_CONSENT_WITHDRAWN"];
  expect(new Set([...reasons, "SOMETHING_NEW"].map(endedBecause)).size).toBe(6);
  expect([day("2026-11-26"), day("soon")]).toEqual(["26 Nov", "soon"]);
  expect([incidentOf("2026-11-26/1123"), incidentOf("4471")]).toEqual(["1123 of 26 Nov 2026", "4471"]);
  expect(digest("0123456789abcdef01")).toBe("01234567 89abcdef 01");
});

test("times are Britain’s, in summer too, whatever clock the machine goes by", () => {
  const summer = new Date("2026-07-15T23:30:09Z");
  expect([time, clock, zoned, weekday, wholeDay, spokenDay, moment].map((format) => format(summer))).toEqual([
    "00:30", "00:30:09", "00:30 BST", "Thu 16", "Thursday 16 July", "Thursday, 16 July 2026", "16 Jul 2026, 00:30",
  ]);
  expect(clock(new Date("2026-12-15T23:30:09Z"))).toBe("23:30:09");
});
