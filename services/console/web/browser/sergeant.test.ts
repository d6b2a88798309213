// The sergeant's screen: figures, alerts, who waits and which calls go on, with nobody else's help; by the keyboard, too.
import { expect, test } from "vitest";
import { AlertKind, Presence } from "../src/gen/alcove/transfer/v1/service_pb";
import { Role, Standing } from "../src/gen/alcove/session/v1/service_pb";
import { faces, outOfView, picture, pictures, scrolls, tabTo, until, violations } from "./officer";
import { asked, desk, inCall, page, seat, sit } from "./seat";
import { CALL, OFFICER, SERGEANT } from "./stand-in";
import * as states from "./states";

seat((at) => {
  at.officer = SERGEANT;
});

const hourRows = (n: number) => `document.querySelectorAll("#hour-rows tr").length === ${n}`;

test("the overview", async () => {
  await sit();
  desk.desk({});
  desk.figures(states.quiet());
  await until(page, hourRows(1));
  const always = ["#now", "#whole", "#window", "#alerts", "#presence", "[data-to=overview]"];
  await picture(page, "overview-quiet");
  expect(await outOfView(page, always)).toEqual([]);
  expect(await violations(page)).toEqual([]);

  desk.exhibits = states.goingOn();
  desk.figures(states.figures());
  desk.desk(states.watched());
  await until(page, `${hourRows(22)} && document.querySelectorAll("#officers .officer-reference").length === 4 && document.querySelectorAll("#overview-rows tr").length === 40`);
  await pictures(page, "overview");
  expect(await outOfView(page, [...always, "#alerts-sign", "#alert-rows li:first-child", "#alert-rows li:first-child button:last-child", "#overview-rows tr:first-child", "#officers li:first-child", "#hour-rows tr:first-child"])).toEqual([]);
  expect(await page.evaluate('document.querySelector("#alert-rows li").dataset.kind'), "fast-track first").toBe("fast_track");
  expect(await scrolls(page)).toBe(false);
  expect(await violations(page)).toEqual([]);

  await page.click("#overview-rows tr:first-child [data-act=give]");
  await pictures(page, "giving");
  expect(await outOfView(page, ["#give-to", "#give-why", "#give-go", "#give-leave"])).toEqual([]);
  expect(await violations(page)).toEqual([]);
}, 60_000);

test("whose shift it is, and who of them is not at the desk", async () => {
  desk.shifts = states.shifts();
  await sit();
  desk.figures(states.quiet());
  desk.desk({ officers: states.officers().filter(({ callId }) => callId === "") });
  await page.waitForSelector("#officers [data-stands=absent]");
  expect(await page.evaluate('[...document.querySelectorAll("#officers [data-stands=absent] strong")].map((one) => one.textContent)')).toEqual(["pc-lindqvist"]);
  expect(await page.evaluate('[...document.querySelectorAll("#officers li:has(.officer-reference) strong")].map((one) => one.textContent)')).toEqual(["pc-oconnor", "pc-lindqvist"]);
  await picture(page, "shifts");
  expect(await violations(page)).toEqual([]);
}, 60_000);

test("figures are live, and of a longer time when it is asked for", async () => {
  desk.past = { whole: { came: 1204 }, hours: states.figures().hours.slice(0, 3) };
  await sit();
  desk.desk({});
  desk.figures(states.figures());
  await until(page, hourRows(22));
  await page.evaluate('(() => { const window = document.querySelector("#window"); window.value = "168"; window.dispatchEvent(new Event("change")); })()');
  await until(page, `${hourRows(3)} && document.querySelector("#whole").textContent.includes("1204")`);
  const [{ from, until: end }] = asked("getDeskFigures") as [{ from: { seconds: bigint }; until: { seconds: bigint } }];
  expect(Number(end.seconds - from.seconds)).toBe(7 * 24 * 3600);
  desk.figures({ ...states.figures(), now: { waiting: 3, inCall: 1, free: 2 } });
  await until(page, 'document.querySelector("#now dd").textContent === "3"');
  expect(await page.evaluate(hourRows(3)), "what was asked for stays").toBe(true);
}, 60_000);

test("an alert is on every screen until it is seen to, and can be seen to by the keyboard alone", async () => {
  desk.officer = { ...SERGEANT, roles: ["desk_officer", "sergeant"] };
  await sit();
  desk.desk({});
  await until(page, 'document.body.dataset.view === "desk"');
  desk.desk(states.watched());
  await page.waitForSelector("#alerts-sign", { state: "visible" });
  expect(await page.evaluate('document.querySelector("#announce-now").textContent')).toBe("Fast-track: Nobody sent yet, raised 2 times, and 4 more.");
  expect(await page.evaluate("document.title")).toBe("▲ Nobody sent yet · 5 alerts – Alcove desk");
  expect(await outOfView(page, ["#alerts-sign"])).toEqual([]);
  expect(await violations(page)).toEqual([]);
  await picture(page, "desk-alerts");
  await page.click("[data-to=evidence]");
  expect(await outOfView(page, ["#alerts-sign"])).toEqual([]);

  await tabTo(page, "alerts-sign", "Shift+Tab");
  await page.keyboard.press("Enter");
  await until(page, 'document.activeElement.id === "alerts-title"');
  for (const _ of ["list", "watch", "see"]) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await until(page, 'document.activeElement.dataset.act === "see"');
  desk.desk({ ...states.watched(), alerts: states.alerts().filter(({ kind }) => kind !== AlertKind.FAST_TRACK) });
  await until(page, 'document.querySelectorAll("#alert-rows li").length === 4');
  expect(asked("acknowledgeAlert").map((one) => [one.callId, one.kind, one.count, one.officerId])).toEqual([[CALL, AlertKind.FAST_TRACK, 2, "sgt-price"]]);
  expect(await page.evaluate("document.activeElement.dataset.act"), "the next one is at hand").toBe("see");
}, 60_000);

test("a call that goes on is watched from the list, seen by everybody, and left for the overview", async () => {
  await sit();
  desk.exhibits = states.goingOn();
  desk.session(states.observed(Standing.IN, "sgt-price"));
  desk.desk(states.watched());
  desk.figures(states.figures());
  await until(page, 'document.querySelectorAll("#officers .officer-reference").length === 4');
  await page.click(`#officers [data-act=watch][data-call="${CALL}"]`);
  await until(page, 'document.querySelector("#observing").dataset.standing === "in"');
  expect(asked("joinSession").map(({ callId, role }) => [callId, role])).toEqual([[CALL, Role.OBSERVER]]);
  expect(await page.evaluate('document.querySelector("#alerts-sign").checkVisibility()'), "nor is an alert overlooked meanwhile").toBe(true);
  await page.click("#observing-leave");
  await until(page, 'document.body.dataset.view === "overview"');
  expect(await page.evaluate('document.querySelectorAll("#overview-rows tr").length'), "the queue is there at once").toBe(40);

  await page.click("#alert-rows [data-act=watch]");
  await until(page, 'document.body.dataset.view === "call"');
  desk.session({ ...states.observed(Standing.IN, "sgt-price"), state: 4 });
  await until(page, 'document.body.dataset.view === "overview" && document.querySelector("#overview-trouble").textContent.includes("has ended")');
}, 60_000);

test("a call is given to another officer by the keyboard alone", async () => {
  await sit();
  desk.desk(states.watched());
  await until(page, 'document.querySelectorAll("#officers li").length === 7');
  await page.evaluate(`document.querySelector('#officers [data-act=give][data-officer="pc-singh"]').focus()`);
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#give").open');
  expect(await page.evaluate('document.querySelector("#give-what").textContent')).toBe("pc-singh has it now.");
  await page.keyboard.press("Enter");
  expect(asked("reassignCall"), "nothing is chosen for them").toEqual([]);
  await tabTo(page, "give-to");
  await page.keyboard.press("ArrowDown");
  await tabTo(page, "give-why");
  await page.keyboard.press("End");
  await page.keyboard.press("Tab");
  await page.keyboard.type("Her shift ends");
  await page.keyboard.press("Enter");
  await until(page, '!document.querySelector("#give").open');
  expect(asked("reassignCall").map(({ callId, toOfficerId, reason, officerId }) => [callId, toOfficerId, reason, officerId])).toEqual([["c2", "pc-oconnor", "Her shift ends", "sgt-price"]]);
  expect(await page.evaluate('document.querySelector("#overview-said").textContent')).toContain("pc-oconnor has the call.");
}, 60_000);

test("who has the call is told that another takes it over, stays until then, and is at the desk after it", async () => {
  desk.officer = OFFICER;
  await inCall(states.live());
  desk.desk({});
  desk.session({ ...states.live(), successorOfficerId: "pc-singh" });
  await page.waitForSelector("#successor", { state: "visible" });
  await until(page, 'document.querySelector("#own").srcObject !== null');
  await faces(page);
  await picture(page, "successor");
  expect(await outOfView(page, ["#successor", "#end", "#mute", "#caller"])).toEqual([]);
  expect(await scrolls(page)).toBe(false);
  expect(await violations(page)).toEqual([]);
  desk.session(states.handedOver());
  await until(page, 'document.body.dataset.view === "desk"');
  expect(await outOfView(page, ["#handed"])).toEqual([]);
  expect(await page.evaluate('document.querySelector("#caller").srcObject === null')).toBe(true);
}, 60_000);

test("a call that is given is taken over by the keyboard, with a camera that is open before it is joined", async () => {
  desk.officer = OFFICER;
  await sit();
  desk.desk({ presence: Presence.FREE });
  await until(page, 'document.body.dataset.view === "desk"');
  desk.session(states.given());
  desk.desk(states.inCall());
  await page.waitForSelector("#given", { state: "visible" });
  expect(await page.evaluate("document.activeElement.id")).toBe("take-over");
  expect(await page.evaluate('document.querySelector("#announce-now").textContent')).toContain("A call is given to you.");
  await pictures(page, "given");
  expect(await outOfView(page, ["#given", "#take-over", "#given-words"])).toEqual([]);
  expect(await page.evaluate('document.querySelector("#end").checkVisibility({ visibilityProperty: true })'), "not ours to end").toBe(false);
  expect(await violations(page)).toEqual([]);
  desk.desk({ ...states.inCall(), queue: [] });
  await until(page, 'document.title.startsWith("●")');

  await page.evaluate(`(() => {
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"));
    window.allow = () => (navigator.mediaDevices.getUserMedia = open);
  })()`);
  await page.keyboard.press("F2");
  await until(page, 'document.querySelector("#given-trouble").textContent.includes("can’t be used")');
  expect(asked("joinSession")).toEqual([]);
  expect(await outOfView(page, ["#given", "#given-trouble"])).toEqual([]);
  await page.evaluate("void window.allow()");
  await page.keyboard.press("F2");
  await until(page, 'document.querySelector("#given").hidden && document.querySelector("#own").srcObject !== null');
  expect(asked("joinSession").length).toBe(1);
  desk.session(states.live());
  await until(page, 'document.querySelector("#end").checkVisibility({ visibilityProperty: true })');
  expect(await page.evaluate("document.activeElement.id")).toBe("call-title");
}, 60_000);

test("who is no sergeant has no overview and is asked for no alerts", async () => {
  desk.officer = OFFICER;
  await sit();
  desk.desk({});
  await until(page, 'document.body.dataset.view === "desk"');
  expect(await page.evaluate('document.querySelector("#way-overview").checkVisibility() || document.querySelector("#alerts-sign").checkVisibility()')).toBe(false);
}, 60_000);

test("enlarged four times, nothing of it has to be looked for sideways", async () => {
  await sit({ width: 341, height: 192 });
  desk.exhibits = states.goingOn();
  desk.desk(states.watched());
  desk.figures(states.figures());
  await until(page, `${hourRows(22)} && document.querySelectorAll("#officers .officer-reference").length === 4`);
  expect(await page.evaluate(`document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
    .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth).map((one) => one.id || one.className || one.tagName)`)).toEqual([]);
}, 60_000);
