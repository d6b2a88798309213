// The sergeant's screen of what is to come: shifts planned, moved and cancelled, and officers lent and borrowed.
import { expect, test } from "vitest";
import { outOfView, picture, pictures, scrolls, tabTo, until, violations } from "./officer";
import { asked, desk, fill, page, seat, sit, text } from "./seat";
import { SERGEANT } from "./stand-in";
import * as states from "./states";

seat((at) => {
  at.officer = SERGEANT;
  at.shifts = states.roster();
  at.loans = states.loans();
});

const at = (seconds: unknown) => new Date(Number((seconds as { seconds: bigint }).seconds) * 1000).toISOString();

async function rota(): Promise<void> {
  await sit();
  desk.desk({ officers: states.officers() });
  desk.figures(states.quiet());
  await until(page, 'document.querySelector("#overview-loans").checkVisibility()');
}

test("shifts and loans", async () => {
  await rota();
  await picture(page, "overview-offered");
  expect(await text("#overview-loans-words")).toBe("Another force offers you officers, and waits for your answer.");
  expect(await outOfView(page, ["#overview-loans", "#overview-rota", "#alerts", "#now"])).toEqual([]);
  expect(await violations(page)).toEqual([]);
  await page.click("#overview-rota");
  await until(page, 'document.querySelectorAll("#loan-rows li").length === 4 && document.querySelectorAll("#shift-days li").length === 14');
  await pictures(page, "rota");
  expect(await outOfView(page, ["#shift-days li:first-child button", "#shift-of", "#shift-from", "#shift-until", "#shift-go", "#loan-rows li:first-child button", "#loan-to", "#loan-from", "#loan-until", "#loan-officers", "#loan-go"])).toEqual([]);
  expect(await scrolls(page)).toBe(false);
  expect(await violations(page)).toEqual([]);

  await page.click("#loan-go");
  await page.click("#shift-go");
  await until(page, 'document.querySelectorAll("#rota [aria-invalid=true]").length === 7');
  await pictures(page, "rota-faults");
  expect(await outOfView(page, ["#shift-go", "#loan-go", "#loan-officers-fault"])).toEqual([]);
  expect(await violations(page)).toEqual([]);
  await page.click('#loan-rows [data-loan=l2][data-act=end]');
  await pictures(page, "rota-sure");
  expect(await violations(page)).toEqual([]);
}, 60_000);

test("a shift is planned by the keyboard alone, in Britain’s time, then moved, and cancelled after a question", async () => {
  await rota();
  await page.click("[data-to=rota]");
  await tabTo(page, "shift-of");
  await page.keyboard.type("pc-brown");
  await fill("#shift-from", "2031-07-01T18:00");
  await fill("#shift-until", "2031-07-02T02:00");
  desk.refused.setShift = "SHIFTS_OVERLAP";
  await page.keyboard.press("Enter");
  await until(page, 'document.activeElement.id === "shift-from"');
  expect(await text("#shift-from-fault")).toBe("They have another shift in that time.");
  delete desk.refused.setShift;
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#shifts-said").textContent === "pc-brown has the shift."');
  expect(asked("setShift").map(({ shiftId, of, from, until: end, officerId }) => [shiftId, of, at(from), at(end), officerId]).at(-1)).toEqual(["", "pc-brown", "2031-07-01T17:00:00.000Z", "2031-07-02T01:00:00.000Z", "sgt-price"]);

  await page.click("#shift-days [data-shift=p1][data-act=change]");
  await until(page, 'document.activeElement.id === "shift-from" && document.querySelector("#shift-of").value === "pc-lindqvist"');
  // Whatever the time of day is: not at midnight, which may be more hours away than a shift may have.
  await fill("#shift-until", await page.evaluate<string>('new Date(Date.parse(document.querySelector("#shift-from").value + "Z") + 7_200_000).toISOString().slice(0, 16)'));
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
  await fill("#loan-from", "2031-01-01T18:00");
  await fill("#loan-until", "2031-01-01T23:00");
  await tabTo(page, "loan-officers");
  await page.keyboard.type("pc-brown, pc-oconnor");
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#loans-said").textContent === "Offered. They may go as soon as Kent agrees."');
  expect(asked("offerLoan").map(({ forceId, toForceId, officers, from, until: end }) => [forceId, toForceId, officers, at(from), at(end)])).toEqual([["wmp", "kent", ["pc-brown", "pc-oconnor"], "2031-01-01T18:00:00.000Z", "2031-01-01T23:00:00.000Z"]]);

  await page.click("#loan-rows [data-act=agree]");
  await until(page, 'document.querySelector("#loans-said").textContent.startsWith("Agreed.")');
  await page.click("#loan-rows [data-loan=l2][data-act=end]");
  await until(page, 'document.querySelector("#sure").open');
  expect(await text("#sure-words")).toContain("A call that goes on stays theirs until it ends.");
  desk.refused.endLoan = "LOAN_OVER";
  await page.click("#sure-go");
  await until(page, 'document.querySelector("#loans-trouble").textContent === "That loan is over already."');
  expect([asked("agreeLoan").map(({ loanId }) => loanId), asked("endLoan").map(({ loanId }) => loanId)]).toEqual([["l3"], ["l2"]]);
  await page.click("[data-to=overview]");
  expect(await page.evaluate('document.querySelector("#rota").textContent.includes("pc-brown")'), "nothing of it stays").toBe(false);
}, 60_000);
