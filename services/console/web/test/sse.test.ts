import { expect, test } from "vitest";
import { EventParser } from "../src/sse";

test("events come whole, however the bytes come", () => {
  const text = ': still here\n\nevent: session\ndata: {"state":"live",\ndata: "x":1}\n\ndata:bare\n\nevent: empty\n\n';
  for (let cut = 0; cut <= text.length; cut++) {
    const parser = new EventParser();
    const found = [...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))];
    expect(found).toEqual([
      { event: "session", data: '{"state":"live",\n"x":1}' },
      { event: "message", data: "bare" },
    ]);
  }
});

test("lines may end as on Windows", () => {
  expect(new EventParser().push("data: a\r\n\r\n")).toEqual([{ event: "message", data: "a" }]);
});
