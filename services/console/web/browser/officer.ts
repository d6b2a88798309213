// An officer at a real Chromium, on a desk's screen of 1366 by 768, and what is asked of every screen that they see.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const BROWSER = new URL("../../../../tests/browser/", import.meta.url);
const axe = readFileSync(createRequire(BROWSER).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const OF_COLOUR = ["color-contrast", "link-in-text-block"];

/** As much of Playwright's page as is used here. */
export interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<T>(what: string | (() => T)): Promise<T>;
  click(selector: string): Promise<void>;
  waitForSelector(selector: string, options?: { state: string }): Promise<unknown>;
  keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
  screenshot(options: { path: string }): Promise<unknown>;
  setDefaultTimeout(ms: number): void;
  on(event: "pageerror", listener: (error: Error) => void): void;
  context(): { close(): Promise<void>; waitForEvent(event: "page"): Promise<Page>; setOffline(is: boolean): Promise<void> };
  close(): Promise<void>;
}

export interface Browser {
  open(what: Size & { script: string }): Promise<Page>;
}

export async function launch(): Promise<Browser> {
  const { launch: begin } = (await import(new URL("chromium.mjs", BROWSER).href)) as { launch(): Promise<Browser> };
  return begin();
}

// No media core is there: what a picture of the caller's says of itself is made up.
const SCRIPT = `
  const follow = HTMLVideoElement.prototype.requestVideoFrameCallback;
  HTMLVideoElement.prototype.requestVideoFrameCallback = function (act) {
    return follow.call(this, (now, about) => act(now, { ...about, rtpTimestamp: about.mediaTime * 90000 | 0 }));
  };`;

export interface Size {
  width: number;
  height: number;
}
/** A desk's screen. */
const DESK: Size = { width: 1366, height: 768 };

export async function open(browser: Browser, url: string, size = DESK): Promise<Page> {
  const page = await browser.open({ ...size, script: SCRIPT });
  page.setDefaultTimeout(15_000);
  await page.goto(url);
  return page;
}

const wear = (theme: "light" | "dark") => `document.documentElement.dataset.theme = "${theme}"`;

/** What axe finds fault with, in light and in dark. Dark is other colours and nothing else (theme.test.ts), so only they are asked about again. */
export async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(axe);
  return page.evaluate<string[]>(`(async () => {
    const faults = async (runOnly) => {
      const { violations } = await axe.run(document, { runOnly, resultTypes: ["violations"] });
      return violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ": " + node.target + " " + node.failureSummary));
    };
    ${wear("dark")};
    const dark = await faults(${JSON.stringify(OF_COLOUR)});
    ${wear("light")};
    return [...dark.map((one) => "dark, " + one), ...(await faults(${JSON.stringify(RULES)}))];
  })()`);
}

/** Which of these are not wholly in view, as the screen stands, or have something else over their middle. */
export function outOfView(page: Page, selectors: string[]): Promise<string[]> {
  return page.evaluate<string[]>(`${JSON.stringify(selectors)}.filter((selector) => {
    const one = document.querySelector(selector);
    const { left, right, top, bottom, width } = one.getBoundingClientRect();
    const over = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const isSeen = width > 0 && left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
    return !isSeen || !(one.contains(over) || one.id === "caller");
  })`);
}

export function scrolls(page: Page): Promise<boolean> {
  return page.evaluate<boolean>("document.documentElement.scrollHeight > innerHeight || document.documentElement.scrollWidth > innerWidth");
}

export async function until(page: Page, expression: string): Promise<void> {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await new Promise((done) => setTimeout(done, 30))) {
    if (await page.evaluate<boolean>(`Boolean(${expression})`)) return;
  }
  throw new Error(`never became true: ${expression}`);
}

/** By Tab alone, as far as it goes round. */
export async function tabTo(page: Page, id: string, key = "Tab"): Promise<void> {
  for (let pressed = 0; pressed < 120; pressed++) {
    if (await page.evaluate<boolean>(`document.activeElement.id === "${id}"`)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${id} can't be reached by ${key}`);
}

/** Somebody in a kitchen, moving, in place of the caller; and somebody before a plain wall in place of the officer. */
export async function faces(page: Page): Promise<void> {
  // The page would put the camera back.
  await until(page, 'document.querySelector("#own").srcObject !== null || document.querySelector("#observing").checkVisibility()');
  await page.evaluate(`(() => {
    const draw = (video, wall, floor, coat, lamp) => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
      const c = canvas.getContext("2d");
      const paint = () => {
        const sway = Math.sin(Date.now() / 900) * 6;
        const light = c.createLinearGradient(0, 0, 1280, 720);
        light.addColorStop(0, wall); light.addColorStop(1, floor);
        c.fillStyle = light; c.fillRect(0, 0, 1280, 720);
        if (lamp) {
          c.fillStyle = "#cfe0ea"; c.fillRect(120, 90, 260, 300); c.fillStyle = "#8b6f58"; c.fillRect(242, 90, 12, 300); c.fillRect(110, 385, 280, 16);
          c.fillStyle = "#a98b6d"; c.fillRect(960, 60, 260, 250); c.fillStyle = "#8b6f58"; c.fillRect(1086, 60, 6, 250); c.fillStyle = "#6d5a4a"; c.fillRect(0, 610, 1280, 110);
        }
        c.fillStyle = coat; c.beginPath(); c.ellipse(640 + sway, 760, 270, 300, 0, 0, 7); c.fill();
        c.fillStyle = "#b98a6c"; c.fillRect(590 + sway, 420, 100, 90);
        c.beginPath(); c.ellipse(640 + sway, 330, 118, 150, 0, 0, 7); c.fill();
        c.fillStyle = "#2c2320"; c.beginPath(); c.ellipse(640 + sway, 255, 140, 110, 0, Math.PI, 0); c.fill();
        c.fillStyle = "#2c2320"; c.beginPath(); c.ellipse(598 + sway, 320, 9, 7, 0, 0, 7); c.ellipse(682 + sway, 320, 9, 7, 0, 0, 7); c.fill();
        c.strokeStyle = "#7d4f3e"; c.lineWidth = 5; c.beginPath(); c.moveTo(606 + sway, 405); c.quadraticCurveTo(640 + sway, 412, 674 + sway, 405); c.stroke();
      };
      paint(); setInterval(paint, 60);
      video.srcObject = canvas.captureStream(15);
    };
    const caller = document.querySelector("#caller");
    draw(caller, "#d8cdbd", "#a58f7a", "#3f5a6b", true);
    draw(document.querySelector("#own"), "#cfd4d8", "#b5bcc2", "#5d6b58", false);
    caller.dataset.participant = "p-caller";
  })()`);
  await until(page, 'document.querySelector("#screen").dataset.playing === "yes"');
}

/** Keeps a picture of the screen, to be looked at, where `CONSOLE_PICTURES` asks for them. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.CONSOLE_PICTURES;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** The same in light and in dark. */
export async function pictures(page: Page, name: string): Promise<void> {
  await page.evaluate(wear("dark"));
  await picture(page, `${name}-dark`);
  await page.evaluate(wear("light"));
  await picture(page, name);
}
