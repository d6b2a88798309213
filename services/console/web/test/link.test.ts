import { expect, test } from "vitest";
import { fragmentOf, renewed } from "../src/link";

const sdp = (ufrag: string, pwd: string, candidate: string) =>
  ["v=0", "m=audio 9 X 111", `a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, candidate, "a=mid:0", "m=video 9 X 96",
    `a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, candidate, "a=mid:1", ""].join("\r\n");

test("a fragment names the ICE session and nothing else", () => {
  const wanted = "m=audio 9 X 111\r\na=mid:0\r\na=ice-ufrag:old\r\na=ice-pwd:older\r\n";
  expect(fragmentOf(sdp("old", "older", "a=candidate:1 1 udp"))).toBe(wanted);
});

test("an answer is renewed in the ICE session of a fragment, and in nothing else", () => {
  const fragment = "m=audio 9 X 0\r\na=mid:0\r\na=ice-ufrag:new\r\na=ice-pwd:newer\r\na=candidate:2 1 tcp\r\n";
  expect(renewed(sdp("old", "older", "a=candidate:1 1 udp"), fragment)).toBe(sdp("new", "newer", "a=candidate:2 1 tcp"));
});
