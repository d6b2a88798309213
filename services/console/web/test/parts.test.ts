// What is beside and below the video, and what is remembered of the call.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { beforeEach, expect, test, vi } from "vitest";
import { body } from "../screens";
import { ConsentKind, FastTrackState, RiskGrade, SilentCaller } from "../src/gen/alcove/intake/v1/service_pb";
import { ChapterKind, FastTrackSchema, MarkChapterResponseSchema, RecordingState, Role, SessionSchema, Standing } from "../src/gen/alcove/session/v1/service_pb";
import { OfferSchema } from "../src/gen/alcove/transfer/v1/service_pb";
import { actOf } from "../src/keys";
import { followLabels } from "../src/labels";
import { followTheme } from "../src/theme";
import { remember, renderBrief } from "../src/view/brief";
import { renderChapters, renderMarked } from "../src/view/chapters";
import { openClosing, renderClosing, whyBack } from "../src/view/closing";
import { askHow, changeOf, clearConsents, inWords, renderConsents } from "../src/view/consents";
import { chosen, openAsk, renderFastTrack, renderReasons } from "../src/view/fast-track";
import { labelled, openLabel, regions, renderLabel, renderLabelled } from "../src/view/label";
import { clearOpening, countOpening, prompts, renderOpening } from "../src/view/opening";
import { addMark, clearTimeline, currentChapter, followSession, tickTimeline } from "../src/view/timeline";
import { addToTray, clearTray } from "../src/view/tray";

const NOW = Date.parse("2026-11-24T19:00:00Z");
const text = (id: string) => document.getElementById(id)!.textContent;
const hidden = (id: string) => document.getElementById(id)!.hidden;
const all = (selector: string) => [...document.querySelectorAll<HTMLElement>(selector)];
const people = (...roles: Role[]) => roles.map((role, n) => ({ participantId: String(n), role, standing: Standing.IN, connected: true }));

beforeEach(() => {
  document.body.innerHTML = body(".");
});

test("the timeline is as long as the call, with each mark where it belongs", () => {
  clearTimeline();
  const startedAt = timestampFromDate(new Date(NOW));
  const session = (recordingState: RecordingState) => create(SessionSchema, { startedAt, recordingState });
  followSession(session(RecordingState.ON));
  renderMarked(ChapterKind.INJURIES, "left arm", create(MarkChapterResponseSchema, { number: 2, at: timestampFromDate(new Date(NOW + 60_000)) }));
  followSession(session(RecordingState.ON));
  tickTimeline(NOW + 120_000);
  expect([text("call-clock"), all("#timeline-bar .dot").map((dot) => dot.style.left)]).toEqual(["2:00", ["50%"]]);
  tickTimeline(NOW + 240_000);
  expect(all("#timeline-bar .dot").map((dot) => dot.style.left)).toEqual(["25%"]);
  expect(all("#timeline li span").map((one) => one.textContent)).toEqual(["Injuries: left arm"]);
  expect(currentChapter()).toBe("Injuries: left arm");

  followSession(session(RecordingState.PAUSED));
  followSession(session(RecordingState.PAUSED));
  expect(all("#timeline li").map((one) => one.dataset.kind), "a change is marked once").toEqual(["chapter", "recording"]);
  clearTimeline();
  expect([text("call-clock"), text("timeline"), currentChapter()], "another call is another timeline").toEqual(["", "", ""]);
});

test("a picture that was kept is in the tray, with its time and its chapter, until the call is left", () => {
  clearTimeline();
  clearTray();
  addToTray(1, document.createElement("canvas"), new Date(NOW));
  addMark("chapter", "Injuries", new Date(NOW));
  addToTray(2, document.createElement("canvas"), new Date(NOW));
  expect(all("#tray li").map((one) => [...one.children].map((part) => part.textContent!.replace(/\d\d:\d\d:\d\d/, "T")))).toEqual([["", "still-1", "T", "", "", "Say what it shows: still-1"], ["", "still-2", "T", "Injuries", "", "Say what it shows: still-2"]]);
  expect(hidden("tray-none")).toBe(true);
  clearTray();
  expect([text("tray"), hidden("tray-none")]).toEqual(["", false]);
});

test("what a picture shows is said in words, with where on the body, left and right the caller’s own", () => {
  expect(regions("front").map(({ words }) => words)).toEqual(["head", "face", "neck", "chest", "right upper arm", "left upper arm", "belly", "right forearm", "left forearm", "hips", "right hand", "left hand", "right thigh", "left thigh", "right lower leg", "left lower leg", "right foot", "left foot"]);
  expect(regions("back").filter(({ words }) => words.endsWith("hand") || words.endsWith("back"))).toEqual([{ words: "upper back", column: "middle", row: 4 }, { words: "lower back", column: "middle", row: 5 }, { words: "left hand", column: "start", row: 6 }, { words: "right hand", column: "end", row: 6 }]);
  clearTray();
  addToTray(3, document.createElement("canvas"), new Date(NOW));
  openLabel("3");
  const choose = (id: string) => {
    document.querySelector<HTMLInputElement>(`#${id}`)!.click();
    renderLabel();
  };
  expect([labelled(), hidden("label-where")], "nothing is chosen for them").toEqual([undefined, true]);
  choose("label-injury");
  expect([labelled(), hidden("label-where")], "an injury is somewhere").toEqual([undefined, false]);
  choose("region-left-forearm");
  expect(labelled()).toEqual({ number: "3", kind: ChapterKind.INJURIES, words: "injury, left forearm, from the front" });
  choose("label-back");
  expect(labelled(), "from behind it is another map").toBeUndefined();
  choose("region-lower-back");
  expect(labelled()!.words).toBe("injury, lower back, from behind");
  choose("label-document");
  expect([labelled(), hidden("label-where")]).toEqual([{ number: "3", kind: ChapterKind.OTHER, words: "document" }, true]);
  renderLabelled("3", "document");
  expect([text("tray")!.includes("document"), document.querySelector("#tray button")!.textContent]).toEqual([true, "Say it anew: still-3"]);
});

test("what a picture shows is asked until it is written down", async () => {
  clearTray();
  addToTray(3, document.createElement("canvas"), new Date(NOW));
  let written = false;
  followLabels(() => ({ mark: async () => written }));
  const dialog = document.getElementById("label") as HTMLDialogElement;
  openLabel("3");
  document.querySelector<HTMLInputElement>("#label-scene")!.click();
  const write = () => document.getElementById("label-form")!.dispatchEvent(new Event("submit", { cancelable: true }));
  write();
  await vi.waitFor(() => expect(text("label-trouble")).toBe("It was not written down. Try again."));
  expect([dialog.open, labelled()?.words, text("tray")!.includes("scene")]).toEqual([true, "scene", false]);
  written = true;
  write();
  await vi.waitFor(() => expect([dialog.open, document.querySelector(".tray-label")!.textContent]).toEqual([false, "scene"]));
});

test("the opening words say date, time, place, everyone and whether it is recorded, and what is ticked stays", () => {
  const session = create(SessionSchema, { recordingState: RecordingState.ON, participants: people(Role.OFFICER, Role.CALLER) });
  const said = prompts("PC Ada Okafor", session, new Date(NOW));
  expect(said.map(({ id }) => id)).toEqual(["when", "officer", "recording", "caller", "place", "present"]);
  expect(said[0]!.words.replace("Tuesday,", "Tuesday"), "ICU has it with a comma or without").toBe("“It is Tuesday 24 November 2026, 19:00.”");
  // Summer time is the caller's time, too.
  expect(prompts("PC Ada Okafor", session, new Date("2026-07-01T19:00:00Z"))[0]!.words).toContain("20:00");
  expect(said[1]!.words).toContain("PC Ada Okafor");
  const silent = prompts("PC Ada Okafor", { ...session, silentCaller: SilentCaller.TAPS_ONLY }, new Date(NOW));
  expect(silent.slice(3).map(({ about }) => about), "asked in the chat").toEqual(["The caller, written", "Place, written", "Everybody there, written"]);

  clearOpening();
  renderOpening("PC Ada Okafor", session, new Date(NOW));
  expect(text("opening-left")).toBe("6 to say");
  (document.getElementById("opening-when") as HTMLInputElement).checked = true;
  const joined = create(SessionSchema, { recordingState: RecordingState.REFUSED, participants: people(Role.OFFICER, Role.CALLER, Role.INTERPRETER, Role.OBSERVER) });
  renderOpening("PC Ada Okafor", joined, new Date(NOW + 600_000));
  expect(text("opening-words-when"), "what was said stays as it was said").toContain("19:00");
  expect(text("opening-words-recording")).toBe("“This call is not recorded.”");
  expect(text("opening-words-others")).toContain("With us are an interpreter and an observer.");
  for (const box of all("#opening input")) (box as HTMLInputElement).checked = true;
  countOpening();
  expect(text("opening-left")).toBe("all said");
  renderOpening("PC Ada Okafor", session, new Date(NOW));
  expect(document.getElementById("opening-others")).toBeNull();
});

test("the end is spoken, too", () => {
  renderClosing(new Date(NOW));
  expect(text("confirm-closing")).toBe("Say it first: “It is 19:00. I am ending the call now.”");
});

test("a call ends as its officer says, and is given back with a reason", () => {
  openClosing(new Date(NOW));
  expect([whyBack(), hidden("back"), text("confirm-end")]).toEqual([undefined, true, "End call"]);
  document.querySelector<HTMLInputElement>("#ending-back")!.checked = true;
  renderClosing(new Date(NOW));
  expect([whyBack(), hidden("back"), hidden("back-other"), text("confirm-end")]).toEqual(["", false, true, "Give it back"]);
  const why = document.querySelector<HTMLSelectElement>("#back-why")!;
  expect([why.required, why.value], "nothing is chosen for them").toEqual([true, ""]);
  why.value = "Video doesn’t work for them";
  expect(whyBack()).toBe("Video doesn’t work for them");
  expect(text("confirm-closing")).toBe("Say it first: “It is 19:00. Somebody of the control room goes on with you on the phone. I am ending the video call now.”");
  why.value = "other";
  renderClosing(new Date(NOW));
  expect([whyBack(), hidden("back-other")], "something else has to be said").toEqual(["", false]);
  document.querySelector<HTMLInputElement>("#back-words")!.value = " no light there ";
  expect(whyBack()).toBe("no light there");
  document.querySelector<HTMLDialogElement>("#confirm")!.close();
  openClosing(new Date(NOW));
  expect([whyBack(), hidden("back"), why.required], "nothing of the last time").toEqual([undefined, true, false]);
  for (const id of ["cover", "duress"]) {
    document.getElementById(id)!.hidden = false;
    renderClosing(new Date(NOW));
    expect(text("confirm-closing"), "nothing to be said aloud").toBe("");
    document.getElementById(id)!.hidden = true;
  }
});

test("consents stand as the session has them, and nothing is offered that can't be had", () => {
  clearConsents();
  const lines = () => all("#consents li").map((one) => [one.dataset.kind, one.dataset.given, one.querySelector("button")?.textContent ?? ""]);
  renderConsents(create(SessionSchema, { recordingState: RecordingState.PAUSED, stills: true }));
  expect(lines()).toEqual([["video", "true", "Withdrawn"], ["recording", "true", "Withdrawn"], ["stills", "true", "Withdrawn"], ["covered", "false", "Now given"]]);
  const button = document.querySelector<HTMLElement>("[data-kind=stills] button")!;
  expect(changeOf(button)).toEqual({ kind: ConsentKind.STILLS, given: false });
  button.focus();
  renderConsents(create(SessionSchema, { recordingState: RecordingState.STOPPED, stills: false, coveredRecording: true }));
  expect(lines(), "recording that was stopped doesn't begin again in the call").toEqual([["video", "true", "Withdrawn"], ["recording", "false", ""], ["stills", "false", "Now given"], ["covered", "true", "Withdrawn"]]);
  expect((document.activeElement as HTMLElement).dataset.consent).toBe(String(ConsentKind.STILLS));

  expect(inWords({ kind: ConsentKind.VIDEO, given: false })).toContain("ends the call");
  askHow({ kind: ConsentKind.COVERED, given: true }, "PC Ada Okafor");
  expect([hidden("consent-form"), text("consent-asked"), text("consent-by"), document.activeElement?.id]).toEqual(
    [false, "Recording while covered: they agree now.", "Taken by PC Ada Okafor, now.", "consent-how"]);
  askHow(undefined, "");
  expect(hidden("consent-form")).toBe(true);
});

test("that somebody is sent is asked with a reason, and how it fares is said", () => {
  renderReasons();
  openAsk();
  expect(chosen()).toEqual({ reason: "DANGER", risk: RiskGrade.HIGH });
  document.querySelector<HTMLInputElement>("#fast-track-child")!.click();
  document.querySelector<HTMLSelectElement>("#fast-track-risk")!.value = "2";
  expect(chosen()).toEqual({ reason: "CHILD", risk: RiskGrade.MEDIUM });
  openAsk();
  expect(chosen(), "nothing of the last time").toEqual({ reason: "DANGER", risk: RiskGrade.HIGH });

  const fares = (...fastTracks: MessageInitShape<typeof FastTrackSchema>[]) => {
    renderFastTrack(create(SessionSchema, { fastTracks }));
    return [hidden("fast-track-sign"), text("fast-track-words").replaceAll(/\d\d:\d\d:\d\d/g, "T")];
  };
  const requestedAt = timestampFromDate(new Date(NOW));
  expect(fares()).toEqual([true, ""]);
  expect(fares({ state: FastTrackState.RAISED, reason: "MEDICAL", requestedAt })[1]).toBe("Somebody is hurt or ill: you asked for somebody at T. Waiting for the control room to take it on…");
  expect(fares({ state: FastTrackState.RAISED_AGAIN, reason: "MEDICAL", timesRaised: 3, requestedAt })[1]).toContain("raised 3 times, to the sergeants, too");
  const taken = { state: FastTrackState.ACKNOWLEDGED, reason: "MEDICAL", requestedAt, acknowledgedAt: requestedAt, takenBy: "ch-2207", unit: "Bravo 12" };
  expect(fares(taken)).toEqual([false, "Bravo 12 is being sent: ch-2207 took it on at T."]);
  expect(fares(taken, { state: FastTrackState.RAISED, reason: "CHILD", requestedAt })[1], "the newest counts").toContain("Waiting");
});

test("what the desk said of the call stays in view, for that call alone", () => {
  remember(create(OfferSchema, { callId: "a", risk: RiskGrade.HIGH, language: "pa", childrenPresent: true, incident: { date: "2026-11-24", number: "1123" } }));
  renderBrief("a");
  expect([...document.getElementById("brief")!.children].map((one) => one.textContent)).toEqual(["High risk", "1123 of 24 Nov 2026", "Punjabi", "Children"]);
  renderBrief("b");
  expect(text("brief")).toBe("");
  // A page that was reloaded has it from the session.
  renderBrief("b", create(SessionSchema, { silentCaller: SilentCaller.PRESSED_55 }));
  expect(text("brief")).toBe("Silent caller, pressed 55: write, and ask nothing aloud");
  remember(create(OfferSchema, { callId: "b", risk: RiskGrade.HIGH, silentCaller: SilentCaller.CANNOT_SPEAK }));
  renderBrief("b");
  expect([...document.getElementById("brief")!.children].slice(0, 2).map((one) => one.textContent)).toEqual(["Can’t speak: write, and ask nothing aloud", "High risk"]);
});

test("a key presses what is on the screen, and nothing that isn't", () => {
  const body = document.body.dataset;
  body.view = "desk";
  expect(["F2", "F4", "F7", "F8", "F9", "a", "Enter"].map(actOf)).toEqual(Array(7).fill(undefined));
  document.getElementById("offer")!.hidden = false;
  const pressed: string[] = [];
  for (const id of ["accept", "still", "mute"]) document.getElementById(id)!.addEventListener("click", () => pressed.push(id));
  actOf("F2")!();
  actOf("F4")!();
  expect([pressed, document.activeElement?.id]).toEqual([["accept"], "reason"]);

  document.getElementById("offer")!.hidden = true;
  body.view = "call";
  renderChapters();
  expect(actOf("F8"), "no picture can be kept yet").toBeUndefined();
  document.getElementById("still")!.hidden = false;
  for (const key of ["F8", "F9", "F2"]) actOf(key)!();
  expect([pressed, document.activeElement?.id]).toEqual([["accept", "still", "mute"], "chat-text"]);
  actOf("F4")!();
  expect((document.activeElement as HTMLElement).dataset.chapter).toBe("1");
  for (const asked of ["confirm", "later", "sure"]) {
    const dialog = document.getElementById(asked)!;
    dialog.setAttribute("open", "");
    expect(actOf("F9"), `while something is asked: ${asked}`).toBeUndefined();
    dialog.removeAttribute("open");
  }
});

test("dark stays dark on this machine", () => {
  localStorage.clear();
  const button = document.getElementById("theme")!;
  followTheme();
  expect([document.documentElement.dataset.theme, button.getAttribute("aria-pressed")]).toEqual(["light", "false"]);
  button.click();
  expect([document.documentElement.dataset.theme, button.getAttribute("aria-pressed"), { ...localStorage }]).toEqual(["dark", "true", { "alcove.theme": "dark" }]);
  document.documentElement.dataset.theme = "";
  followTheme();
  expect(document.documentElement.dataset.theme).toBe("dark");
});
