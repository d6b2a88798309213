import { expect, test, vi } from "vitest";
import { followActs } from "../src/acts";

test("a person is told of at most once a minute, and only by what a person does", () => {
  const there = vi.fn();
  const page = new EventTarget();
  let now = 0;
  const tell = followActs(there, page, () => now);
  for (const event of ["focus", "message", "visibilitychange"]) page.dispatchEvent(new Event(event));
  expect(there).not.toHaveBeenCalled();
  page.dispatchEvent(new Event("keydown"));
  page.dispatchEvent(new Event("pointermove"));
  now = 59_999;
  page.dispatchEvent(new Event("pointerdown"));
  expect(there).toHaveBeenCalledTimes(1);
  now = 60_000;
  page.dispatchEvent(new Event("wheel"));
  expect(there).toHaveBeenCalledTimes(2);
  now = 119_999;
  tell();
  expect(there).toHaveBeenCalledTimes(2);
  now = 120_000;
  tell();
  expect(there).toHaveBeenCalledTimes(3);
});
