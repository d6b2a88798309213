import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { beforeEach, expect, test, vi } from "vitest";
import { body } from "../screens";
import { renderExhibit, renderPackage } from "../src/after";
import { ExhibitState, GetExhibitResponseSchema } from "../src/gen/alcove/evidence/v1/service_pb";
import { RiskGrade } from "../src/gen/alcove/intake/v1/service_pb";
import { GetPackageResponseSchema, ItemState } from "../src/gen/alcove/referral/v1/service_pb";
import { ChatLineSchema, InvitationSchema, IssueInvitationResponseSchema, DuressHow, RecordingAction, RecordingState, Role, SessionSchema, SessionState, Standing, TextState, Way } from "../src/gen/alcove/session/v1/service_pb";
import { Presence, WatchDeskResponseSchema } from "../src/gen/alcove/transfer/v1/service_pb";
import { clearCall, renderCode, renderSession, renderWithdrawn } from "../src/view/call";
import { clearChat, renderLine, renderPhrases } from "../src/view/chat";
import { renderCover } from "../src/view/cover";
import { askedIn, renderDuress } from "../src/view/duress";
import { putAway, renderDesk, tick } from "../src/view/desk";
import { typedOrder } from "../src/view/recording";
import { renderSilence } from "../src/view/silence";
import { askForNumber } from "../src/view/text";

const text = (id: string) => document.getElementById(id)!.textContent;
const hidden = (id: string) => (document.getElementById(id) as HTMLElement).hidden;

beforeEach(() => {
  document.body.innerHTML = body(".");
});

const NOW = Date.parse("2026-11-24T19:00:00Z");
const at = (seconds: number) => timestampFromDate(new Date(NOW + seconds * 1000));

test("the queue, the offer and its countdown", () => {
  vi.useFakeTimers({ now: NOW });
  const incident = { date: "2026-11-24", number: "1123" };
  const desk = create(WatchDeskResponseSchema, {
    presence: Presence.FREE,
    queue: [
      { callId: "a", queuedAt: at(-90), risk: RiskGrade.HIGH, incident },
      { callId: "b", queuedAt: at(-30), risk: RiskGrade.STANDARD, language: "pa", childrenPresent: true, incident },
    ],
    offer: { callId: "a", expiresAt: at(20), risk: RiskGrade.HIGH, incident },
  });
  (document.getElementById("give") as HTMLDialogElement).showModal();
  renderDesk(desk);
  const rows = [...document.querySelectorAll("#queue-rows tr")];
  expect(rows.map((row) => row.getAttribute("data-call"))).toEqual(["b"]);
  expect([...rows[0]!.children].map((cell) => cell.textContent)).toEqual(["Standard", "0:30", "1123 of 24 Nov 2026", "Punjabi", "Present", "Ring back later…: 1123 of 24 Nov 2026"]);
  expect([hidden("offer"), text("offer-left"), text("presence")]).toEqual([false, "20 s", "Free for calls"]);
  expect(text("announce-now")).toBe("A high risk call is offered to you. 20 seconds to answer.");
  expect(document.activeElement?.id).toBe("accept");
  expect((document.getElementById("give") as HTMLDialogElement).open, "nothing lies over it").toBe(false);
  vi.setSystemTime(NOW + 12_400);
  tick();
  expect([text("offer-left"), rows[0]!.children[1]!.textContent]).toEqual(["8 s", "0:42"]);

  putAway();
  renderDesk(desk);
  expect([hidden("offer"), text("announce-now"), document.title], "what is answered doesn't come back with what the desk said before").toEqual([true, "", "Alcove desk"]);

  renderDesk(create(WatchDeskResponseSchema, { presence: Presence.AWAY }));
  expect([hidden("offer"), hidden("queue"), hidden("queue-empty"), text("presence")]).toEqual([true, true, false, "Away"]);
  expect(document.title).toBe("Alcove desk");
  vi.useRealTimers();
});

test("in a call an officer may only ask to be away after it", () => {
  const button = () => document.getElementById("presence") as HTMLButtonElement;
  renderDesk(create(WatchDeskResponseSchema, { presence: Presence.FREE, currentCallId: "a" }));
  expect([button().disabled, button().textContent]).toEqual([false, "Free after this call"]);
  renderDesk(create(WatchDeskResponseSchema, { presence: Presence.AWAY, currentCallId: "a" }));
  expect([button().disabled, button().textContent]).toEqual([true, "Away after this call"]);
});

test("the code is shown until the caller has used it", () => {
  vi.useFakeTimers({ now: NOW });
  clearCall("a");
  renderSession(create(SessionSchema, { state: SessionState.INVITED, recordingState: RecordingState.ON, participants: [{ role: Role.OFFICER, connected: true }] }));
  renderCode(create(IssueInvitationResponseSchema, { code: "K7QF-2M9X", pageUrl: "https://meet.example/", expiresAt: at(600) }));
  expect([text("code"), text("code-page"), hidden("code-card")]).toEqual(["K7QF-2M9X", "meet.example", false]);
  expect(text("code-left")).toContain("10:00");
  expect(text("recording")).toBe("Recording");
  renderSession(create(SessionSchema, { state: SessionState.LIVE, recordingState: RecordingState.REFUSED, participants: [{ role: Role.CALLER, connected: true }] }));
  expect([hidden("code-card"), document.getElementById("call")!.dataset.state]).toEqual([true, "live"]);
  expect(text("recording")).toBe("Not recorded: the caller refused");
  expect(document.querySelector("#people li")!.getAttribute("data-connected")).toBe("true");
  vi.useRealTimers();
});

test("how a text message fares is said, and a number is asked for only if nobody has it", () => {
  clearCall("a");
  const stands = (invitation: object) => {
    renderSession(create(SessionSchema, { state: SessionState.INVITED, invitation: create(InvitationSchema, { way: Way.SMS, ...invitation }) }));
    return text("text-state");
  };
  expect([text("text-state"), text("text"), hidden("text-to"), hidden("by-text")]).toEqual(["", "Send a link by text message", true, false]);
  expect(stands({ state: TextState.SENDING, tries: 1 })).toBe("Sending the message…");
  expect(stands({ state: TextState.SENDING, tries: 3 })).toContain("3 times");
  expect(stands({ state: TextState.SENT, tries: 3 })).toContain("is sent");
  expect(stands({ state: TextState.DELIVERED, tries: 3 })).toBe("The message is on their phone.");
  expect(document.getElementById("text-state")!.dataset.state).toBe("delivered");
  expect(stands({ state: TextState.FAILED, tries: 1, failure: "MESSAGES_READ" })).toContain("somebody else may read");
  expect(text("text")).toBe("Send it again, with a new code");
  renderSession(create(SessionSchema, { state: SessionState.INVITED, invitation: create(InvitationSchema, { way: Way.SPOKEN_CODE }) }));
  expect([text("text-state"), text("text")]).toEqual(["", "Send a link by text message"]);

  askForNumber(true);
  expect([hidden("text-to"), document.activeElement?.id]).toEqual([false, "text-number"]);
  renderCode(create(IssueInvitationResponseSchema, { code: "K7QF-2M9X" }), Role.INTERPRETER);
  expect(hidden("by-text")).toBe(true);
});

test("the recording says how it stands, and offers what can be ordered then", () => {
  const offered = () => [...document.querySelectorAll<HTMLButtonElement>("#record button")].filter((one) => !one.hidden && !hidden("record"));
  const stands = (recordingState: RecordingState) => {
    renderSession(create(SessionSchema, { state: SessionState.LIVE, recordingState }));
    return [text("recording"), ...offered().map((one) => one.dataset.order)];
  };
  clearCall("a");
  expect(offered()).toEqual([]);
  expect(stands(RecordingState.ON)).toEqual(["Recording", "pause", "stop"]);
  const [pause] = offered();
  expect(typedOrder(pause!)).toBeUndefined();
  expect(document.activeElement?.id).toBe("record-reason");
  (document.getElementById("record-reason") as HTMLInputElement).value = " a child came in ";
  expect(typedOrder(pause!)).toEqual({ action: RecordingAction.PAUSE, reason: "a child came in" });
  expect(stands(RecordingState.PAUSED)).toEqual(["Recording is paused", "resume", "stop"]);
  expect(stands(RecordingState.STOPPED)).toEqual(["Recording stopped: consent was withdrawn"]);
  renderSession(create(SessionSchema, { recordingState: RecordingState.ON, stills: true, stillsTaken: 2, photographsTaken: 1 }));
  expect([hidden("still"), hidden("ask-photo"), text("stills")]).toEqual([false, false, "2 pictures kept, 1 photograph sent"]);
  renderSession(create(SessionSchema, { recordingState: RecordingState.STOPPED, stills: true, stillsTaken: 2 }));
  expect(hidden("still")).toBe(true);
  expect(stands(RecordingState.REFUSED)).toEqual(["Not recorded: the caller refused"]);
});

test("who waits can be let in or turned away, and whoever watches is shown", () => {
  clearCall("a");
  const there = (standing: Standing) => create(SessionSchema, {
    state: SessionState.LIVE,
    participants: [
      { participantId: "1", role: Role.OFFICER, connected: true, standing: Standing.IN, officerId: "o.one" },
      { participantId: "2", role: Role.CALLER, connected: true, standing: Standing.IN },
      { participantId: "3", role: Role.OBSERVER, standing, watching: standing === Standing.IN, officerId: "s.one" },
      { participantId: "4", role: Role.INTERPRETER, standing: Standing.REMOVED },
      { participantId: "5", role: Role.SUPPORTER, connected: true, standing: Standing.IN },
    ],
  });
  const lines = () => [...document.querySelectorAll("#people li")].map((one) => [...one.children].map((part) => part.textContent));
  renderSession(there(Standing.WAITING));
  expect(lines()).toEqual([["Officer: connected"], ["Caller: connected"], ["Observer s.one: waiting", "Let in", "Turn away"], ["Child’s supporter: connected", "Send away"]]);
  expect(text("waiting")).toBe("Waiting to be let in: Observer.");
  document.querySelector<HTMLElement>('[data-act="remove"][data-participant="5"]')!.focus();
  renderSession(there(Standing.IN));
  expect(lines()[2]).toEqual(["Observer s.one: watching", "Send away"]);
  expect(text("waiting")).toBe("");
  expect((document.activeElement as HTMLElement).dataset.participant).toBe("5");
});

test("a caller whose page is lost can be asked back, and an old code is shown to nobody", () => {
  clearCall("a");
  renderCode(create(IssueInvitationResponseSchema, { code: "K7QF-2M9X", expiresAt: at(600) }));
  const live = (connected: boolean) => create(SessionSchema, { state: SessionState.LIVE, participants: [{ role: Role.CALLER, connected }] });
  renderSession(live(true));
  expect([hidden("code-card"), text("code")]).toEqual([true, ""]);
  renderSession(live(false));
  expect([hidden("code-card"), text("code-left")]).toEqual([false, "If their page doesn’t come back by itself, a new code lets them in again."]);
  renderCode(create(IssueInvitationResponseSchema, { code: "9X2M-K7QF", expiresAt: at(600) }));
  renderSession(live(false));
  expect(text("code")).toBe("9X2M-K7QF");
  renderSession(create(SessionSchema, { state: SessionState.ENDED, participants: [{ role: Role.CALLER }] }));
  expect(hidden("code-card")).toBe(true);
});

test("a caller who may have guessed their code waits, and it is said why", () => {
  clearCall("a");
  const there = (standing: Standing) => create(SessionSchema, {
    state: SessionState.LIVE,
    participants: [{ participantId: "1", role: Role.CALLER, connected: standing === Standing.IN, standing }],
  });
  renderSession(there(Standing.WAITING));
  const [line] = document.querySelectorAll("#people li");
  expect([...line!.children].map((part) => part.textContent)).toEqual(["Caller: waiting", "Let in", "Turn away"]);
  expect(text("doubt")).toBe("Many wrong codes were tried. Ask on the phone line whether it is them, then let them in.");
  expect(hidden("code-card")).toBe(false);
  renderSession(there(Standing.IN));
  expect([text("doubt"), hidden("code-card"), document.querySelectorAll("#people button").length]).toEqual(["", true, 0]);
});

test("a code can be withdrawn, and what became of it is said", () => {
  clearCall("a");
  expect(hidden("withdraw")).toBe(true);
  renderCode(create(IssueInvitationResponseSchema, { code: "K7QF-2M9X", expiresAt: at(600) }));
  expect(hidden("withdraw")).toBe(false);
  renderWithdrawn(Role.CALLER, true);
  expect([text("code"), text("code-left"), hidden("withdraw")]).toEqual(["", "The code is withdrawn: nobody gets in by it.", true]);
  renderWithdrawn(Role.CALLER, false);
  expect(text("code-left")).toContain("no code to withdraw");
});

test("a code for an interpreter is shown in mid-call until one has come", () => {
  vi.useFakeTimers({ now: NOW });
  clearCall("a");
  const live = { state: SessionState.LIVE, participants: [{ role: Role.CALLER, connected: true }] };
  renderSession(create(SessionSchema, live));
  expect(hidden("code-card")).toBe(true);
  renderCode(create(IssueInvitationResponseSchema, { code: "K7QF-2M9X", expiresAt: at(600) }), Role.INTERPRETER);
  expect([hidden("code-card"), text("code-title")]).toEqual([false, "Read it out: interpreter"]);
  renderSession(create(SessionSchema, live));
  expect(hidden("code-card")).toBe(false);
  renderSession(create(SessionSchema, { ...live, participants: [...live.participants, { role: Role.INTERPRETER, standing: Standing.WAITING }] }));
  expect([hidden("code-card"), text("code")]).toEqual([true, ""]);
  vi.useRealTimers();
});

test("a phrase is read in English with the original beside it, and text is never HTML", () => {
  clearChat();
  renderPhrases({ guest: { yes: "Yes" }, host: { "help-coming": "Help is on its way" } });
  expect([...document.querySelectorAll("#chat-phrase option")].map((one) => one.getAttribute("value"))).toEqual(["help-coming", "yes"]);
  const line = (number: number, role: Role, what: object) => renderLine(create(ChatLineSchema, { number, role, ...what }));
  line(1, Role.CALLER, { language: "ar" });
  expect(text("chat-language")).toBe("The caller reads Arabic. Phrases are translated, what you type is not.");
  line(2, Role.CALLER, { language: "ar", phrase: "yes", words: "نعم", english: "Yes" });
  line(3, Role.OFFICER, { language: "en", text: "<b>one</b> moment" });
  line(4, Role.OFFICER, { language: "en", phrase: "yes", words: "Yes", english: "Yes" });
  const lines = [...document.querySelectorAll("#chat-lines li")].map((one) => [...one.children].map((part) => part.textContent));
  expect(lines).toEqual([["Caller", "Yes", "نعم"], ["Officer", "<b>one</b> moment"], ["Officer", "Yes"]]);
  const original = document.querySelector("#chat-lines .original")!;
  expect([original.getAttribute("lang"), original.getAttribute("dir")]).toEqual(["ar", "auto"]);
});

test("the seal and what the package lacks", () => {
  const after = document.getElementById("after")!;
  renderExhibit(create(GetExhibitResponseSchema, { state: ExhibitState.MANIFESTED, reference: "ALC/7F3K9Q2M/1" }));
  expect([after.dataset.state, text("exhibit-reference"), text("seal-digest")]).toEqual(["sealing", "ALC/7F3K9Q2M/1", "—"]);
  renderExhibit(create(GetExhibitResponseSchema, { state: ExhibitState.SEALED, reference: "ALC/7F3K9Q2M/1", sealSha256: "ab".repeat(32) }));
  expect([after.dataset.state, text("seal-state")]).toEqual(["sealed", "Sealed"]);
  expect(document.querySelectorAll("#seal-steps li[data-done='true']").length).toBe(4);

  renderPackage(create(GetPackageResponseSchema, {
    scorePercent: 33,
    missing: ["risk"],
    items: [
      { key: "consent", title: "Consent", required: true, state: ItemState.PRESENT, evidence: "recorded" },
      { key: "risk", title: "Risk checklist", required: true, state: ItemState.MISSING },
      { key: "bail", title: "Bail", state: ItemState.MISSING },
    ],
  }));
  const items = [...document.querySelectorAll<HTMLElement>("#package-items li")];
  expect(items.map((item) => [item.dataset.key, item.dataset.state])).toEqual([["risk", "missing"], ["consent", "present"], ["bail", "optional"]]);
  expect([text("package-score"), text("package-state")]).toEqual(["33%", "1 required item is missing."]);
});

test("a covered call says what to say, and whether it is recorded", () => {
  const pretexts = [
    { id: "recipe", title: "Lemon cake", say: "A recipe." },
    { id: "quiz", title: "Quiz", say: "A quiz." },
  ];
  clearCall("a");
  renderSession(create(SessionSchema, { state: SessionState.LIVE, pretext: "quiz", pretexts }));
  const chooser = document.getElementById("pretext") as HTMLSelectElement;
  expect([[...chooser.options].map((one) => one.text), chooser.value, text("pretext-say")]).toEqual([["Lemon cake", "Quiz"], "quiz", "A quiz."]);
  expect(hidden("cover")).toBe(true);
  renderCover(true);
  expect([hidden("cover"), text("cover-words"), text("cover-say"), text("cover-recording")]).toEqual(
    [false, "They have covered the call. Your voice is off.", "If somebody asks: A quiz.", "Nothing is recorded meanwhile."]);
  expect(document.getElementById("call")!.dataset.cover).toBe("yes");
  renderSession(create(SessionSchema, { state: SessionState.LIVE, pretext: "recipe", pretexts, coveredRecording: true }));
  expect([text("cover-say"), text("cover-recording")]).toEqual(["If somebody asks: A recipe.", "It is recorded meanwhile: they agreed to that."]);
  clearCall("b");
  expect([hidden("cover"), document.getElementById("call")!.dataset.cover]).toEqual([true, "no"]);
});

test("that the caller has turned their microphone off stays in view until it is on, and is read out", () => {
  clearCall("a");
  const sign = document.getElementById("silence")!;
  expect([sign.textContent, sign.getAttribute("role")]).toEqual(["", "status"]);
  renderSilence(true);
  renderSession(create(SessionSchema, { state: SessionState.LIVE }));
  expect(sign.textContent).toBe("They have turned their microphone off: nothing is wrong with the sound. They can write to you, or nod.");
  renderSilence(false);
  expect(sign.textContent).toBe("");
  renderSilence(true);
  clearCall("b");
  expect(sign.textContent, "another call is another caller").toBe("");
});

test("the officer reads out how to cover the call and how to ask for help without saying so", () => {
  const tell = document.getElementById("tell")!;
  expect(document.getElementById(tell.getAttribute("aria-labelledby")!)!.textContent).toBe("Read to them, while nobody else can hear");
  const [cover, help] = [...tell.querySelectorAll("p")].map((one) => one.textContent!);
  for (const said of [cover!, help!]) expect(said).toMatch(/^“.*”$/);
  expect(cover).toContain("tap Hide");
  for (const way of ["three times", "the name at the top", "the small line at the top", "write the word", "Nothing on your screen says so"]) {
    expect(help).toContain(way);
  }
});

test("a caller who asks for help without saying so is shown until it is seen, and after that", () => {
  clearCall("a");
  const shown = () => [hidden("duress"), text("duress-how").replace(/\d\d:\d\d:\d\d/, "T"), text("duress-seen").replace(/\d\d:\d\d:\d\d/, "T"), hidden("duress-see")];
  expect([hidden("duress"), askedIn(create(SessionSchema))]).toEqual([true, undefined]);
  const duress = { how: DuressHow.CORNER, raisedAt: at(0), count: 1 };
  renderDuress(askedIn(create(SessionSchema, { duress })));
  expect(text("duress-words")).toBe("They have asked for help without saying so. Do not say it aloud.");
  expect(shown()).toEqual([false, "By three taps on the top of their page, at T.", "", false]);
  renderDuress(askedIn(create(SessionSchema, { duress: { ...duress, how: DuressHow.WORD, count: 3, acknowledgedAt: at(9), acknowledgedBy: "o.one" } })));
  expect(shown()).toEqual([false, "By their word, in what they wrote, at T. They have asked 3 times.", "You have seen it, at T, and the control room knows that.", true]);
  expect(document.querySelectorAll("#duress audio, #duress video").length).toBe(0);
  clearCall("b");
  expect(hidden("duress")).toBe(true);
});
