// @vitest-environment node
// The dark theme: other colours, and nothing else. So whatever else is found of a screen in light holds in dark, too.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

test("what is dark differs by colour alone", () => {
  const folder = join(import.meta.dirname, "../src/style");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((one) => one.endsWith(".css"));
  const css = files.map((file) => readFileSync(join(folder, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "")).join("\n");
  const dark = [...css.matchAll(/[^{}]*\[data-theme[^{}]*\{([^{}]*)\}/g)];
  expect(dark.length).toBeGreaterThan(5);
  const set = dark.flatMap(([, body]) => body!.split(";").map((one) => one.trim()).filter(Boolean));
  const isColour = /^(--[\w-]+|color|background-color): (#[\da-f]{6}|var\(--[\w-]+\))$|^box-shadow: 0 2px 0 #ffffff$|^color-scheme: dark$/;
  expect(set.filter((one) => !isColour.test(one))).toEqual([]);
});
