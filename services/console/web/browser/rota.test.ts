// @vitest-environment node
// The sergeant's screen of what is to come: shifts planned, moved and cancelled, and officers lent and borrowed.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Browser, launch, open, outOfView, type Page, picture, scrolls, tabTo, until, violations } from "./officer";
import { SERGEANT, StandIn } from "./stand-in";
import * as states from "./states";

let browser: Browser;
let desk: StandIn;
let page: Page;

beforeAll(async () => {
  browser = await launch();
}, 60_000);
afterAll(() => browser.close());
beforeEach(async () => {
  desk = new StandIn();
  desk.officer = SERGEANT;
  desk.shifts = states.roster();
  desk.loans = states.loans();
  await desk.start();
});
afterEach(async () => {
  await page.context().close();
  desk.stop();
});

const asked = (method: string) => desk.asked.filter((one) => one.method === method).map(({ request }) => request);
/** The field's own way to be filled depends on the browser's language. */
const fill = (id: string, value: string) => page.evaluate(`document.querySelector("#${id}").value = "${value}"`);
const at = (seconds: unknown) => new Date(Number((seconds as { seconds: bigint }).seconds) * 1000).toISOString();
const textOf = (id: string) => page.evaluate<string>(`document.querySelector("#${id}").textContent`);

async function rota(theme: "light" | "dark" = "light"): Promise<void> {
  page = await open(browser, desk.origin, theme);
  desk.desk({ officers: states.officers() });
  desk.figures(states.quiet());
  await until(page, 'document.querySelector("#overview-loans").checkVisibility()');
}

for (const theme of ["light", "dark"] as const) {
  test(`shifts and loans, ${theme}`, async () => {
    const suffix = theme === "dark" ? "-dark" : "";
    await rota(theme);
    if (theme === "light") await picture(page, "overview-offered");
    expect(await textOf("overview-loans-words")).toBe("Another force offers you officers, and waits for your answer.");
    expect(await outOfView(page, ["#overview-loans", "#overview-rota", "#alerts", "#now"])).toEqual([]);
    expect(await violations(page)).toEqual([]);
    await page.click("#overview-rota");
    await until(page, 'document.querySelectorAll("#loan-rows li").length === 4 && document.querySelectorAll("#shift-days li").length === 14');
    await picture(page, `rota${suffix}`);
    expect(await outOfView(page, ["#shift-days li:first-child button", "#shift-of", "#shift-from", "#shift-until", "#shift-go", "#loan-rows li:first-child button", "#loan-to", "#loan-from", "#loan-until", "#loan-officers", "#loan-go"])).toEqual([]);
    expect(await scrolls(page)).toBe(false);
    expect(await violations(page)).toEqual([]);

    await page.click("#loan-go");
    await page.click("#shift-go");
    await until(page, 'document.querySelectorAll("#rota [aria-invalid=true]").length === 7');
    await picture(page, `rota-faults${suffix}`);
    expect(await outOfView(page, ["#shift-go", "#loan-go", "#loan-officers-fault"])).toEqual([]);
    expect(await violations(page)).toEqual([]);
    await page.click('#loan-rows [data-loan=l2][data-act=end]');
    await picture(page, `rota-sure${suffix}`);
    expect(await violations(page)).toEqual([]);
  }, 60_000);
}

test("a shift is planned by the keyboard alone, in Britain’s time, then moved, and cancelled after a question", async () => {
  await rota();
  await page.click("[data-to=rota]");
  await tabTo(page, "shift-of");
  await page.keyboard.type("pc-brown");
  await fill("shift-from", "2031-07-01T18:00");
  await fill("shift-until", "2031-07-02T02:00");
  desk.refused.setShift = "SHIFTS_OVERLAP";
  await page.keyboard.press("Enter");
  await until(page, 'document.activeElement.id === "shift-from"');
  expect(await textOf("shift-from-fault")).toBe("They have another shift in that time.");
  delete desk.refused.setShift;
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#shifts-said").textContent === "pc-brown has the shift."');
  expect(asked("setShift").map(({ shiftId, of, from, until: end, officerId }) => [shiftId, of, at(from), at(end), officerId]).at(-1)).toEqual(["", "pc-brown", "2031-07-01T17:00:00.000Z", "2031-07-02T01:00:00.000Z", "sgt-price"]);

  await page.click("#shift-days [data-shift=p1][data-act=change]");
  await until(page, 'document.activeElement.id === "shift-from" && document.querySelector("#shift-of").value === "pc-lindqvist"');
  // Whatever the time of day is: not at midnight, which may be more hours away than a shift may have.
  await fill("shift-until", await page.evaluate<string>('new Date(Date.parse(document.querySelector("#shift-from").value + "Z") + 7_200_000).toISOString().slice(0, 16)'));
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#shifts-said").textContent === "The shift has another time."');
  expect(asked("setShift").at(-1)?.shiftId).toBe("p1");

  await page.evaluate('document.querySelector("#shift-days [data-shift=p2][data-act=cancel]").focus()');
  await page.keyboard.press("Enter");
  await until(page, 'document.activeElement.id === "sure-stay"');
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await tabTo(page, "sure-go", "Shift+Tab");
  expect(asked("cancelShift"), "who only presses on has cancelled nothing").toEqual([]);
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#shifts-said").textContent === "The shift is cancelled."');
  expect(asked("cancelShift").map(({ shiftId }) => shiftId)).toEqual(["p2"]);
}, 60_000);

test("officers are offered, an offer is agreed to, and a loan is ended after a question", async () => {
  await rota();
  await page.click("[data-to=rota]");
  await tabTo(page, "loan-to");
  await page.keyboard.type("Kent");
  await fill("loan-from", "2031-01-01T18:00");
  await fill("loan-until", "2031-01-01T23:00");
  await tabTo(page, "loan-officers");
  await page.keyboard.type("pc-brown, pc-oconnor");
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#loans-said").textContent === "Offered. They may go as soon as Kent agrees."');
  expect(asked("offerLoan").map(({ forceId, toForceId, officers, from, until: end }) => [forceId, toForceId, officers, at(from), at(end)])).toEqual([["wmp", "kent", ["pc-brown", "pc-oconnor"], "2031-01-01T18:00:00.000Z", "2031-01-01T23:00:00.000Z"]]);

  await page.click("#loan-rows [data-act=agree]");
  await until(page, 'document.querySelector("#loans-said").textContent.startsWith("Agreed.")');
  await page.click("#loan-rows [data-loan=l2][data-act=end]");
  await until(page, 'document.querySelector("#sure").open');
  expect(await textOf("sure-words")).toContain("A call that goes on stays theirs until it ends.");
  desk.refused.endLoan = "LOAN_OVER";
  await page.click("#sure-go");
  await until(page, 'document.querySelector("#loans-trouble").textContent === "That loan is over already."');
  expect([asked("agreeLoan").map(({ loanId }) => loanId), asked("endLoan").map(({ loanId }) => loanId)]).toEqual([["l3"], ["l2"]]);
  await page.click("[data-to=overview]");
  expect(await page.evaluate('document.querySelector("#rota").textContent.includes("pc-brown")'), "nothing of it stays").toBe(false);
}, 60_000);
