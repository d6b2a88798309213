// Every screen of the officer's, in a real browser of 1366 by 768, light and dark: nothing that axe finds fault with, and what matters in
// view. `make pictures` keeps what is seen here in docs/console.
import { expect, test } from "vitest";
import { FastTrackState } from "../src/gen/alcove/intake/v1/service_pb";
import { Role, Standing } from "../src/gen/alcove/session/v1/service_pb";
import { faces, outOfView, picture, pictures, scrolls, tabTo, until, violations } from "./officer";
import { desk, inCall, moveTo, page, seat, sit } from "./seat";
import * as states from "./states";
import * as work from "./work-states";

seat((at) => {
  at.case.set = work.set();
});

/** One of each kind is enough to be looked at in both. */
const IN_DARK = ["offer", "call", "call-consents", "fast-track-again", "signed-out", "covered", "after", "exhibit"];

/** Without a fault, and nothing of these has to be looked for. */
async function good(name: string, inView: string[] = []): Promise<void> {
  await (IN_DARK.includes(name) ? pictures : picture)(page, name);
  expect(await outOfView(page, inView), name).toEqual([]);
  expect(await violations(page), name).toEqual([]);
}

const ESSENTIAL = ["#caller", "#end", "#mute", "#still", "#chat-text", "#call-clock", "#recording"];

test("nobody signed in", async () => {
  desk.signedIn = false;
  await sit();
  await until(page, 'document.body.dataset.view === "sign-in"');
  expect(await violations(page)).toEqual([]);
}, 60_000);

test("the desk", async () => {
  await sit();
  desk.desk({});
  await page.waitForSelector("#queue-empty", { state: "visible" });
  await good("desk-empty", ["#presence", "#ready", "#try-sound"]);
  desk.desk(states.closed());
  await until(page, 'document.querySelector("#hours-desk").textContent.startsWith("The desk is closed until ")');
  await good("desk-closed", ["#hours-desk", "#ready"]);
  desk.desk(states.waiting());
  await until(page, 'document.querySelectorAll("#queue-rows tr").length === 4');
  await good("desk", ["#presence", "#queue", "#hours-desk"]);
  desk.desk(states.offered());
  await page.waitForSelector("#offer", { state: "visible" });
  await until(page, "document.getAnimations().length === 0");
  await good("offer", ["#offer", "#accept", "#offer-left", "#reason", "#decline", "#queue"]);
  desk.refuses = true;
  await page.keyboard.press("F2");
  await until(page, 'document.querySelector("#offer-trouble").textContent !== ""');
  desk.desk(states.waiting());
  await page.waitForSelector("#missed", { state: "visible" });
  await good("offer-missed", ["#missed", "#queue"]);
  expect(await page.evaluate('document.querySelector("#missed").textContent')).toBe("Your answer to the offer did not count. The call isn’t offered to you any more.");
  expect(await page.evaluate('document.querySelector("#missed").getAttribute("role")')).toBe("alert");
  desk.desk(states.offered());
  await page.waitForSelector("#offer", { state: "visible" });
  expect(await page.evaluate('document.querySelector("#missed").textContent'), "that was the last one").toBe("");
  desk.desk(states.waiting());
  await page.waitForSelector("#offer", { state: "hidden" });
  await page.keyboard.press("F2");
  await until(page, 'document.querySelector("#missed").textContent.includes("any more")');
}, 60_000);

test("the call", async () => {
  await sit();
  desk.session(states.invited());
  desk.desk(states.offered());
  await page.waitForSelector("#offer", { state: "visible" });
  await page.click("#accept");
  await page.waitForSelector("#code-card[data-state=shown]");
  await page.waitForSelector("#offer", { state: "hidden" });
  desk.desk(states.inCall());
  await until(page, 'document.querySelector("#presence").textContent === "Free after this call"');
  await good("invited", ["#code", "#code-spoken", "#end", "#caller"]);

  desk.session(states.live());
  await faces(page);
  await page.click("#chapters [data-chapter='1']");
  await page.click("#still");
  await page.waitForSelector("#tray li");
  desk.session(states.interpreted());
  desk.chat({ number: 1, role: Role.CALLER, language: "ar" });
  desk.chat({ number: 2, role: Role.CALLER, language: "ar", phrase: "no-talk", words: "لا أستطيع الكلام الآن", english: "I can’t talk right now" });
  desk.chat({ number: 3, role: Role.OFFICER, language: "en", text: "I am here. Nod when you can." });
  for (const chapter of [2, 5]) await page.click(`#chapters [data-chapter='${chapter}']`);
  await page.click("#still");
  await until(page, 'document.querySelectorAll("#tray li").length === 2 && document.querySelectorAll("#chat-lines li").length === 2');
  await good("call", ESSENTIAL);
  expect(await scrolls(page)).toBe(false);
  for (const part of ["opening", "stills", "consents", "cover"]) {
    await page.click(`.jumps [href='#part-${part}']`);
    if (part === "consents") await page.click("[data-kind=stills] button");
    await good(`call-${part}`, [...ESSENTIAL, part === "consents" ? "#consent-write" : `#part-${part} h2`]);
  }

  await page.click("#tray [data-label]");
  await page.click("#label-injury");
  await good("body-map", ["#label-injury", "#label-front", "#region-head", "#region-left-foot", "#label-write", "#label-leave"]);
  await page.click("#label-leave");
  await page.click("#fast-track");
  await good("fast-track", ["#fast-track-danger", "#fast-track-send", "#fast-track-leave"]);
  await page.click("#fast-track-leave");
  for (const [state, name] of [[FastTrackState.RAISED_AGAIN, "fast-track-again"], [FastTrackState.ACKNOWLEDGED, "fast-track-taken"]] as const) {
    desk.session(states.sent(state));
    await page.waitForSelector(`#fast-track-sign[data-state=${FastTrackState[state]!.toLowerCase()}]`, { state: "visible" });
    await good(name, [...ESSENTIAL, "#fast-track-sign", "#fast-track"]);
    expect(await scrolls(page)).toBe(false);
  }

  await page.click("#end");
  await good("ending", ["#confirm-end", "#confirm-stay", "#confirm-closing"]);
  await page.click("#ending-back");
  await good("giving-back", ["#back-why", "#confirm-end", "#confirm-stay", "#confirm-closing"]);
  await page.click("#confirm-stay");

  desk.session(states.covered());
  await page.waitForSelector("#cover", { state: "visible" });
  await page.click(".jumps [href='#part-people']");
  await good("covered", [...ESSENTIAL.slice(0, -1), "#cover", "#cover-words", "#cover-say", "#duress", "#duress-see"]);
  expect(await scrolls(page)).toBe(false);

  await page.click("#end");
  await page.click("#ending-back");
  expect(await page.evaluate('document.querySelector("#confirm-closing").textContent'), "nothing to be said aloud").toBe("");
}, 120_000);

test("signed out in mid-call", async () => {
  await inCall(states.live());
  await faces(page);
  const goesOn = async () => {
    const at = await page.evaluate<number>('document.querySelector("#caller").currentTime');
    await until(page, `document.querySelector("#caller").currentTime > ${at} && document.querySelector("#screen").dataset.playing === "yes"`);
  };
  await page.click("#sign-out");
  await good("signing-out", ["#sign-out-go", "#sign-out-stay"]);
  await page.click("#sign-out-stay");
  await page.click("#chat-text");

  desk.signedIn = false;
  await page.waitForSelector("#signed-out", { state: "visible" });
  expect(await page.evaluate("document.activeElement.id"), "they may be writing").toBe("chat-text");
  await good("signed-out", ["#signed-out", "#sign-in-again", ...ESSENTIAL]);
  expect(await scrolls(page)).toBe(false);
  await goesOn();
  await page.click("#mute");
  expect(await page.evaluate('document.querySelector("#mute").getAttribute("aria-pressed")')).toBe("true");
  await tabTo(page, "sign-in-again");

  desk.signedIn = true;
  await page.waitForSelector("#signed-out", { state: "hidden" });
  await goesOn();
  await page.click("#chapters [data-chapter='1']");
  await until(page, 'document.querySelectorAll("#timeline li").length === 1');
  expect(desk.asked.map(({ method }) => method), "not joined anew").toEqual(["joinSession", "markChapter"]);

  await page.click("#sign-out");
  await page.click("#sign-out-go");
  await until(page, 'document.body.dataset.view === "sign-in"');
  expect(await page.evaluate('document.querySelector("#caller").srcObject === null')).toBe(true);
}, 60_000);

test("after the call", async () => {
  await sit();
  desk.exhibit = states.sealing();
  desk.package = states.checklist();
  desk.session(states.live());
  desk.desk(states.inCall());
  await page.waitForSelector("#call[data-state=live]");
  await page.click("#end");
  await page.click("#confirm-end");
  desk.desk({});
  await until(page, 'document.querySelector("#seal-waits").textContent.includes("timestamp")');
  await good("sealing", ["#seal-state", "#package-score", "#to-desk"]);
  desk.exhibit = states.sealed();
  await page.waitForSelector("#after[data-state=sealed]");
  await good("after", ["#seal-digest", "#package-score", "#to-desk"]);
}, 60_000);

test("evidence", async () => {
  await sit();
  desk.exhibits = states.exhibits();
  desk.exhibit = states.sealed();
  desk.desk({});
  await page.click("[data-to=evidence]");
  await until(page, 'document.querySelectorAll("#exhibit-rows tr").length === 4');
  await good("exhibits", ["#find", "#exhibits"]);
  desk.accesses = states.accesses();
  await page.click("#exhibit-rows [data-exhibit=e1]");
  await page.waitForSelector("#access-rows tr");
  await good("exhibit", ["#exhibit-name", "#look-reason", "#play", "#export", "#accesses"]);
  await page.click("#play");
  expect(desk.asked, "no look without a reason").toEqual([]);
  await page.keyboard.type("Writing my statement");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#playback", { state: "visible" });
  const [look] = desk.asked;
  expect([look!.method, look!.request.path, look!.request.who, look!.request.reason]).toEqual(["readItem", "working-copy.mp4", "pc-okafor", "Writing my statement"]);
  await page.click("[data-to=desk]");
  expect(await page.evaluate('document.querySelector("#playback").hasAttribute("src")'), "nothing that was played stays").toBe(false);
}, 60_000);

test("watching another officer’s call", async () => {
  await sit();
  desk.exhibits = states.exhibits();
  desk.exhibit = states.recording();
  desk.session(states.observed(Standing.WAITING));
  desk.desk({});
  await page.click("[data-to=evidence]");
  await page.click("#exhibit-rows [data-exhibit=e2]");
  await page.waitForSelector("#observe", { state: "visible" });
  await good("to-observe", ["#observe"]);
  await page.click("#observe");
  await until(page, 'document.querySelector("#observing").dataset.standing === "waiting"');
  desk.session(states.observed(Standing.IN));
  await until(page, 'document.querySelector("#observing").dataset.standing === "in"');
  await faces(page);
  await good("observing", ["#observing", "#observing-leave", "#caller", "#call-clock"]);
  expect(desk.asked.map(({ method, request }) => [method, request.role])).toEqual([["joinSession", Role.OBSERVER]]);
  for (const gone of ["#end", "#mute", "#still", "#chapters", "#chat-text", "#consents"]) {
    expect(await page.evaluate(`document.querySelector("${gone}").checkVisibility()`), gone).toBe(false);
  }
  await page.keyboard.press("F9");
  expect(await page.evaluate('document.querySelector("#mute").getAttribute("aria-pressed")')).toBe("false");
  await page.click("#observing-leave");
  await until(page, 'document.body.dataset.view === "desk"');
}, 60_000);

test("signed in again in a new window, the call goes on in its own, and is had in the new one when that is gone", async () => {
  await inCall(states.live());
  desk.signedIn = false;
  await page.waitForSelector("#signed-out", { state: "visible" });
  const opened = page.context().waitForEvent("page");
  await page.click("#sign-in-again");
  const other = await opened;
  await other.waitForSelector("#elsewhere", { state: "visible" });
  expect(await outOfView(other, ["#elsewhere"])).toEqual([]);
  expect(await violations(other)).toEqual([]);
  await page.waitForSelector("#signed-out", { state: "hidden" });
  const joined = () => desk.asked.filter(({ method }) => method === "joinSession").length;
  expect([joined(), await page.evaluate("document.body.dataset.view")]).toEqual([1, "call"]);
  await page.close();
  moveTo(other);
  await page.waitForSelector("#call[data-state=live]");
  await until(page, 'document.body.dataset.view === "call"');
}, 60_000);

test("enlarged four times, nothing has to be looked for sideways", async () => {
  await sit({ width: 341, height: 192 });
  desk.exhibits = states.exhibits();
  desk.exhibit = states.sealed();
  desk.package = states.checklist();
  const sideways = () => page.evaluate<string[]>(`document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
      .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth).map((one) => one.id || one.className || one.tagName)`);
  desk.desk(states.offered());
  await page.waitForSelector("#offer", { state: "visible" });
  expect(await sideways(), "offer").toEqual([]);
  desk.desk({});
  await page.click("[data-to=evidence]");
  await page.click("#exhibit-rows [data-exhibit=e1]");
  await page.waitForSelector("#look", { state: "visible" });
  expect(await sideways(), "evidence").toEqual([]);
  desk.session(states.covered());
  desk.desk(states.inCall());
  await page.waitForSelector("#cover", { state: "visible" });
  expect(await sideways(), "call").toEqual([]);
  desk.signedIn = false;
  await page.waitForSelector("#signed-out", { state: "visible" });
  expect(await sideways(), "signed out").toEqual([]);
  desk.signedIn = true;
  await page.waitForSelector("#signed-out", { state: "hidden" });
  await page.click("#end");
  await page.click("#confirm-end");
  await page.waitForSelector("#after[data-state=sealed]");
  expect(await sideways(), "after").toEqual([]);
}, 60_000);
