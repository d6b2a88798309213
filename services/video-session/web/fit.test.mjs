// What the page does about a keyboard on the screen, told by a window that does as it is told.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const script = readFileSync(new URL("fit.js", import.meta.url), "utf8");

test("the page's foot stays above a keyboard, and a closer look moves nothing", () => {
  const acts = {};
  const style = {};
  const visualViewport = { height: 844, offsetTop: 0, scale: 1, addEventListener: (name, act) => { acts[name] = act; } };
  const document = { documentElement: { style: { setProperty: (name, value) => { style[name] = value; } } } };
  vm.runInContext(script, vm.createContext({ window: { visualViewport, innerHeight: 844 }, document }));
  for (const [name, seen, up] of [
    ["resize", { height: 508 }, "336px"],
    ["scroll", { offsetTop: 100 }, "236px"],
    ["resize", { height: 422, offsetTop: 0, scale: 2 }, "0px"],
    ["resize", { height: 844, scale: 1 }, "0px"],
  ]) {
    Object.assign(visualViewport, seen);
    acts[name]();
    assert.equal(style["--up"], up);
  }
  vm.runInContext(script, vm.createContext({ window: {}, document }));
});
