// What keeps anybody from using what is on the screen: axe's rules, and what can be pressed and can't be reached.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../tests/browser/", import.meta.url));
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

export async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate((rules) => window.axe.run(document, { runOnly: rules }), RULES);
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`));
}

// What isn't all there, or has something over it. For a label that holds it, a box to tick is as large as that.
export const misfits = (page) => page.evaluate(() => {
  const wide = document.documentElement.scrollWidth > innerWidth ? [`${document.documentElement.scrollWidth} wide`] : [];
  const isThere = (one) => one.getClientRects().length && !one.disabled && getComputedStyle(one).visibility === "visible";
  const all = Array.from(document.querySelectorAll("button, input, select, summary")).filter(isThere);
  return wide.concat(all.flatMap((one) => {
    one.scrollIntoView({ block: "center" });
    const { left, right, top, bottom } = one.getBoundingClientRect();
    const { width, height } = (one.closest("label") ?? one).getBoundingClientRect();
    const said = [];
    if (left < 0 || top < 0 || right > innerWidth || bottom > innerHeight) said.push("sticks out");
    if (width < 44 || height < (one.closest("label") ? 24 : 44)) said.push("is small");
    const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    if (at && at !== one && !one.contains(at)) said.push(`is under ${at.id || at.tagName}`);
    return said.map((what) => `${one.id || one.className || one.textContent} ${what}`);
  }));
});
