// An officer's page on a call whose package is to be made, and what its tests look at.
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { ItemState } from "../src/gen/alcove/referral/v1/service_pb";
import { type Browser, launch, open, type Page, until } from "./officer";
import { StandIn } from "./stand-in";
import * as states from "./states";
import * as work from "./work-states";

/** Each test's own. */
export let desk: StandIn;
export let page: Page;
let browser: Browser;
let errors: Error[];

/** One browser for a file's tests, a page and a desk for each, and no error on any page. */
export function packing(): void {
  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser.close());
  beforeEach(async () => {
    desk = new StandIn();
    desk.case.set = work.set();
    desk.case.kinds = work.kinds();
    desk.case.partners = work.partners();
    desk.case.pack.items(work.checklist());
    desk.case.pack.draft = work.draft;
    desk.case.pack.schedule = work.schedule();
    await desk.start();
  });
  afterEach(async () => {
    await page.context().close();
    desk.stop();
    expect(errors).toEqual([]);
  });
}

export async function inCall(theme: "light" | "dark" = "light"): Promise<void> {
  page = await open(browser, desk.origin, theme);
  errors = [];
  page.on("pageerror", (error) => errors.push(error));
  desk.session(states.interpreted());
  desk.desk(states.inCall());
  await page.waitForSelector("#call[data-state=live]");
}

export async function afterCall(theme: "light" | "dark" = "light"): Promise<void> {
  desk.exhibit = states.sealed();
  const missing = work.checklist().filter(({ required, state }) => required && state === ItemState.MISSING);
  desk.package = { ...states.checklist(), items: work.checklist(), scorePercent: desk.case.now.scorePercent, missing: missing.map(({ key }) => key) };
  await inCall(theme);
  await page.click("#end");
  await page.click("#confirm-end");
  desk.desk({});
  await until(page, 'document.body.dataset.view === "after"');
  await page.click("#tab-package");
}

export const asked = (method: string) => desk.asked.filter((one) => one.method === method).map(({ request }) => request);
export const text = (selector: string) => page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)}).textContent`);
export const value = (selector: string) => page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)}).value`);
export const shown = (selector: string) => page.evaluate<boolean>(`document.querySelector(${JSON.stringify(selector)})?.checkVisibility() ?? false`);
export const focused = () => page.evaluate<string>("document.activeElement.id");
export const centre = (selector: string) => page.evaluate(`document.querySelector(${JSON.stringify(selector)}).scrollIntoView({ block: "center" })`);
/** For the names of pictures. */
export const suffix = (theme: string) => (theme === "dark" ? "-dark" : "");
