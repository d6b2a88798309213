// An officer's seat: one browser for all tests, a desk and a page for each of them, and no error on any page.
import { afterEach, beforeAll, beforeEach, expect } from "vitest";
import { type Browser, launch, open, type Page, type Size, until } from "./officer";
import { StandIn } from "./stand-in";
import * as states from "./states";

/** Each test's own. */
export let desk: StandIn;
export let page: Page;
/** Of all files that this process runs one after the other: it ends with the process. */
let browser: Browser | undefined;
let errors: Error[];

/** `prepare`: what is at the desk before anybody sits down. */
export function seat(prepare: (at: StandIn) => void = () => {}): void {
  beforeAll(async () => {
    browser ??= await launch();
  }, 60_000);
  beforeEach(async () => {
    desk = new StandIn();
    errors = [];
    prepare(desk);
    await desk.start();
  });
  afterEach(async () => {
    await page.context().close();
    desk.stop();
    expect(errors).toEqual([]);
  });
}

/** The page is another one from here on. */
export function moveTo(other: Page): void {
  page = other;
}

export async function sit(size?: Size): Promise<void> {
  page = await open(browser!, desk.origin, size);
  page.on("pageerror", (error) => errors.push(error));
}

/** In a call that goes on. */
export async function inCall(session: Parameters<StandIn["session"]>[0] = states.interpreted(), size?: Size): Promise<void> {
  await sit(size);
  desk.session(session);
  desk.desk(states.inCall());
  await page.waitForSelector("#call[data-state=live]");
}

/** Ends that call, and is after it. */
export async function endCall(): Promise<void> {
  await page.click("#end");
  await page.click("#confirm-end");
  desk.desk({});
  await until(page, 'document.body.dataset.view === "after"');
}

const one = (selector: string) => `document.querySelector(${JSON.stringify(selector)})`;

/** What was asked of the services by this method, the oldest first. */
export const asked = (method: string) => desk.asked.filter((question) => question.method === method).map(({ request }) => request);
export const text = (selector: string) => page.evaluate<string>(`${one(selector)}.textContent`);
export const value = (selector: string) => page.evaluate<string>(`${one(selector)}.value`);
export const shown = (selector: string) => page.evaluate<boolean>(`${one(selector)}?.checkVisibility() ?? false`);
export const focused = () => page.evaluate<string>("document.activeElement.id");
export const centre = (selector: string) => page.evaluate(`${one(selector)}.scrollIntoView({ block: "center" })`);
/** As somebody chooses in a list. */
export const choose = (selector: string, to: string) =>
  page.evaluate(`((list) => { list.focus(); list.value = ${JSON.stringify(to)}; for (const name of ["input", "change"]) list.dispatchEvent(new Event(name, { bubbles: true })); })(${one(selector)})`);
/** In a field of its own kind, whose way to be filled depends on the browser's language. */
export const fill = (selector: string, to: string) => page.evaluate(`${one(selector)}.value = ${JSON.stringify(to)}`);
/** Whether the page goes without asking first: nothing is still to be sent. */
export const mayLeave = () => page.evaluate<boolean>('dispatchEvent(new Event("beforeunload", { cancelable: true }))');
