// Lists that are told anew under somebody's finger.
import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { body } from "../screens";
import { OfficerAtDeskSchema } from "../src/gen/alcove/transfer/v1/service_pb";
import { renderOfficers } from "../src/view/officers";
import { clear } from "../src/view/rows";

const list = () => document.getElementById("officers")!;
const has = (...officers: string[]) => renderOfficers(officers.map((officerId) => create(OfficerAtDeskSchema, { officerId, callId: `of-${officerId}` })));
const names = () => [...list().querySelectorAll(".officer-name")].map((one) => one.textContent);
const watch = (officer: string) => list().querySelector<HTMLElement>(`[data-act="watch"][data-officer="${officer}"]`)!;
const does = (on: Element, what: string) => on.dispatchEvent(new Event(what, { bubbles: true }));

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = body(".");
});

afterEach(() => {
  vi.runAllTimers();
  vi.useRealTimers();
});

test("a press ends on the button that it began on, and what was heard meanwhile is shown then", () => {
  has("pc-singh");
  const button = watch("pc-singh");
  does(button, "pointerdown");
  has("pc-okafor", "pc-singh");
  has("pc-price", "pc-singh");
  expect([button.isConnected, names()]).toEqual([true, ["pc-singh"]]);
  does(button, "pointerup");
  expect(button.isConnected, "for the click, which comes now").toBe(true);
  vi.runAllTimers();
  expect([button.isConnected, names()]).toEqual([false, ["pc-price", "pc-singh"]]);
});

test("a press elsewhere, one that is over, and a hand that rests on a button hold up no news", () => {
  has("pc-singh");
  does(document.getElementById("overview")!, "pointerdown");
  has("pc-okafor");
  expect(names()).toEqual(["pc-okafor"]);
  does(watch("pc-okafor"), "pointerdown");
  does(document.body, "pointercancel");
  vi.runAllTimers();
  has("pc-singh");
  expect(names()).toEqual(["pc-singh"]);
  does(watch("pc-singh"), "pointerdown");
  has("pc-price");
  expect(names()).toEqual(["pc-singh"]);
  vi.advanceTimersByTime(1000);
  expect(names()).toEqual(["pc-price"]);
});

test("what is not for the next to see goes at once, and doesn’t come back", () => {
  has("pc-singh");
  does(watch("pc-singh"), "pointerdown");
  has("pc-okafor", "pc-singh");
  clear(list());
  expect(names()).toEqual([]);
  does(document.body, "pointerup");
  vi.runAllTimers();
  expect(names()).toEqual([]);
});

test("who has the focus on a button keeps it on that one", () => {
  has("pc-singh");
  watch("pc-singh").focus();
  has("pc-okafor", "pc-singh");
  expect(document.activeElement).toBe(watch("pc-singh"));
  expect(document.activeElement).not.toBe(watch("pc-okafor"));
});
