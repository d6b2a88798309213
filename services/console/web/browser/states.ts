// What the services say in each state that an officer sees, for the tests and the pictures.
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { ExhibitState, ItemKind } from "../src/gen/alcove/evidence/v1/service_pb";
import { CallbackOutcome, CallbackState, FastTrackState, Gender, RiskGrade, Vulnerability } from "../src/gen/alcove/intake/v1/service_pb";
import { ItemState } from "../src/gen/alcove/referral/v1/service_pb";
import { DuressHow, RecordingState, Role, SessionState, Standing } from "../src/gen/alcove/session/v1/service_pb";
import { AlertKind, LoanState, Presence } from "../src/gen/alcove/transfer/v1/service_pb";
import { CALL } from "./stand-in";

export const ago = (seconds: number) => timestampFromDate(new Date(Date.now() - seconds * 1000));
const incident = (number: string) => ({ date: "2026-11-26", number });

export const queue = () => [
  { callId: CALL, queuedAt: ago(74), risk: RiskGrade.HIGH, language: "ar", childrenPresent: true, incident: incident("1123") },
  { callId: "2", queuedAt: ago(212), risk: RiskGrade.MEDIUM, language: "en", childrenPresent: false, incident: incident("1098") },
  { callId: "3", queuedAt: ago(31), risk: RiskGrade.MEDIUM, language: "pl", childrenPresent: true, incident: incident("1131") },
  { callId: "4", queuedAt: ago(8), risk: RiskGrade.STANDARD, language: "en", childrenPresent: false, incident: incident("1134") },
];
/** Somebody's shift, on a day on which the desk closes at night. */
const hours = () => ({ deskClosesAt: ago(-9000), shiftEndsAt: ago(-5400) });
export const waiting = () => ({ presence: Presence.AWAY, queue: queue(), ...hours() });
export const closed = () => ({ presence: Presence.AWAY, deskOpensAt: ago(-30_000) });
export const offered = () => ({
  presence: Presence.FREE,
  queue: queue(),
  offer: { callId: CALL, expiresAt: ago(-17), risk: RiskGrade.HIGH, language: "ar", childrenPresent: true, incident: incident("1123") },
});
export const inCall = () => ({ presence: Presence.FREE, queue: queue().slice(1), currentCallId: CALL });

/** Officers of ours are lent to another force until this evening. */
export const mayGoTo = () => [{ forceId: "kent", until: ago(-9000) }];

const rung = (callbackId: string, state: CallbackState, from: number, more: object = {}) => ({ callbackId, callId: `r-${callbackId}`, state, from: ago(-from), until: ago(-from - 5400), ...more });
export const callbacks = () => [
  rung("b1", CallbackState.DUE, -2400, { language: "ar", attempts: [{ officerId: "pc-singh", at: ago(1500), outcome: CallbackOutcome.NO_ANSWER }] }),
  rung("b2", CallbackState.TAKEN, -1200, { takenBy: "pc-featherstonehaugh-wolverhampton.2" }),
  rung("b3", CallbackState.AGREED, 5400, { language: "pa" }),
];
/** A night on which everything comes at once. */
const crowd = () =>
  Array.from({ length: 40 }, (_, n) => ({
    callId: `w${n}`,
    queuedAt: ago(1760 - n * 43),
    risk: [RiskGrade.HIGH, RiskGrade.MEDIUM, RiskGrade.STANDARD][Math.floor(n / 14)]!,
    language: ["en", "pa", "en", "ar", "en", "en", "pl"][n % 7]!,
    childrenPresent: n % 3 === 0,
    childMaySpeak: n % 9 === 0,
    officerAskedFor: n % 5 === 1 ? Gender.WOMAN : Gender.UNSPECIFIED,
    vulnerability: n % 4 === 0 ? Vulnerability.GREAT : Vulnerability.NONE,
    incident: incident(String(1100 + n * 7)),
    ...(n % 6 !== 5 && { expectedWaitS: 240 + n * 60 }),
  }));
export const alerts = () => [
  { kind: AlertKind.DECLINED, callId: "w2", since: ago(412), count: 2, officerId: "pc-singh" },
  { kind: AlertKind.WAITS_LONG, callId: "w0", since: ago(340), count: 1 },
  { kind: AlertKind.FAST_TRACK, callId: CALL, since: ago(75), count: 2, officerId: "pc-featherstonehaugh-wolverhampton.2" },
  { kind: AlertKind.NO_SKILL, callId: "w3", since: ago(31), count: 1 },
  { kind: AlertKind.NOT_ANSWERED, callId: "w5", since: ago(12), count: 1, officerId: "pc-okafor" },
];
/** One who is there, one who should be, and one whose shift is over. */
export const shifts = () => ({
  shifts: [
    { shiftId: "s1", of: "pc-oconnor", from: ago(9000), until: ago(-9000) },
    { shiftId: "s2", of: "pc-lindqvist", from: ago(1800), until: ago(-27_000) },
    { shiftId: "s3", of: "pc-brown", from: ago(30_000), until: ago(600) },
  ],
});
/** One that asks us, one in force, one that we offered, and one that is over. */
export const loans = () => {
  const loan = (loanId: string, state: LoanState, fromForceId: string, toForceId: string, from: number, more: object = {}) => ({ loanId, state, fromForceId, toForceId, officers: ["pc-brown", "pc-oconnor"], from: ago(-from), until: ago(-from - 21_600), ...more });
  return {
    loans: [
      loan("l1", LoanState.OVER, "wmp", "kent", -90_000, { endedBy: "sgt-hill@kent" }),
      loan("l2", LoanState.AGREED, "wmp", "kent", -3600, { agreedBy: "sgt-hill", officers: ["pc-featherstonehaugh-wolverhampton.2", "pc-singh", "pc-nowak"] }),
      loan("l3", LoanState.OFFERED, "west-mercia", "wmp", 7200, { officers: ["a.morgan"] }),
      loan("l4", LoanState.OFFERED, "wmp", "surrey", 180_000),
    ],
  };
};
export const roster = () => ({
  shifts: Array.from({ length: 14 }, (_, n) => ({ shiftId: `p${n}`, of: ["pc-oconnor", "pc-lindqvist", "pc-featherstonehaugh-wolverhampton.2"][n % 3]!, from: ago(1800 - n * 21_600), until: ago(-27_000 - n * 21_600) })),
});
const there = (officerId: string, presence: Presence, callId = "", isOffer = false) => ({ officerId, presence, callId, isOffer });
export const officers = () => [
  there("pc-featherstonehaugh-wolverhampton.2", Presence.FREE, CALL),
  there("pc-singh", Presence.FREE, "c2"),
  there("pc-okafor", Presence.AWAY, "c4"),
  there("pc-adeyemi", Presence.FREE, "c6"),
  there("pc-nowak", Presence.FREE, "w1", true),
  there("sgt-price", Presence.AWAY),
  there("pc-oconnor", Presence.FREE),
];
export const watched = () => ({ presence: Presence.AWAY, queue: crowd(), alerts: alerts(), officers: officers() });
const hour = (back: number, came: number, served: number, unserved: number, abandoned: number, answer?: [number, number]) => ({
  hour: timestampFromDate(new Date(Math.floor(Date.now() / 3_600_000 - back) * 3_600_000)),
  came,
  served,
  unserved,
  abandoned,
  ...(answer && { answerP50S: answer[0], answerP95S: answer[1] }),
});
export const figures = () => ({
  now: { waiting: 40, waitingSince: ago(1760), inCall: 6, free: 0 },
  whole: { came: 213, served: 158, unserved: 9, abandoned: 6, answerP50S: 41, answerP95S: 1124 },
  hours: Array.from({ length: 22 }, (_, n) => hour(23 - n, 4 + ((n * 7) % 19), 3 + ((n * 5) % 14), n % 6 === 4 ? 2 : 0, n % 5 === 3 ? 1 : 0, n % 11 === 7 ? undefined : [18 + n * 2, 96 + n * 47])),
});
export const quiet = () => ({ now: { waiting: 0, inCall: 1, free: 4 }, whole: { came: 1, served: 1, answerP50S: 12, answerP95S: 12 }, hours: [hour(0, 1, 1, 0, 0, [12, 12])] });

const pretexts = [
  { id: "recipe", title: "Lemon drizzle cake", say: "You are swapping a recipe for a lemon cake." },
  { id: "quiz", title: "General knowledge quiz", say: "You are doing a pub quiz together." },
];
const session = { sessionId: "s", startedAt: ago(312), pretexts, pretext: "recipe", stills: true, recordingState: RecordingState.ON, recording: true };
const officer = { participantId: "p-officer", role: Role.OFFICER, connected: true, standing: Standing.IN, officerId: "pc-okafor" };
const caller = { participantId: "p-caller", role: Role.CALLER, connected: true, standing: Standing.IN };

export const invited = () => ({ ...session, startedAt: ago(9), state: SessionState.INVITED, participants: [officer] });
export const live = () => ({
  ...session,
  state: SessionState.LIVE,
  participants: [officer, caller, { participantId: "p-interpreter", role: Role.INTERPRETER, standing: Standing.WAITING }],
});
/** Another officer's, which a sergeant has given to us. */
export const given = () => ({ ...live(), participants: [{ ...officer, officerId: "pc-singh" }, caller], successorOfficerId: "pc-okafor" });
export const handedOver = () => ({
  ...live(),
  participants: [{ ...officer, connected: false, standing: Standing.REMOVED }, caller, { ...officer, participantId: "p-successor", officerId: "pc-singh" }],
});
export const interpreted = () => ({
  ...live(),
  participants: [officer, caller, { participantId: "p-interpreter", role: Role.INTERPRETER, connected: true, standing: Standing.IN }],
});
export const sent = (state: FastTrackState) => ({
  ...interpreted(),
  fastTracks: [
    {
      fastTrackId: "f1",
      state,
      timesRaised: 2,
      requestedAt: ago(62),
      risk: RiskGrade.HIGH,
      reason: "OFFENDER_BACK",
      ...(state === FastTrackState.ACKNOWLEDGED && { acknowledgedAt: ago(1), takenBy: "ch-2207", unit: "Bravo 12" }),
    },
  ],
});
export const covered = () => ({
  ...interpreted(),
  recordingState: RecordingState.PAUSED,
  coveredSince: ago(3),
  duress: { how: DuressHow.CORNER, raisedAt: ago(2), count: 1 },
});

export const recording = () => ({ exhibitId: "e2", callId: CALL, reference: "ALC/4D8XM2VT/1", state: ExhibitState.OPEN, openedAt: ago(900) });
export const observed = (standing: Standing, by = "pc-okafor") => ({
  ...live(),
  participants: [
    { ...officer, officerId: "pc-singh" },
    caller,
    { participantId: "p-observer", role: Role.OBSERVER, officerId: by, standing, watching: standing === Standing.IN },
  ],
});

export const sealing = () => ({
  exhibitId: "e1",
  callId: CALL,
  reference: "ALC/7F3K9Q2M/1",
  state: ExhibitState.SIGNED,
  openedAt: ago(340),
  waitsFor: "the timestamp authority doesn’t answer",
  tracks: [{ track: "caller-1", segments: 302n, bytes: 41_203_000n }, { track: "officer-1", segments: 303n, bytes: 39_000_120n }],
  items: [
    { path: "items/still/still-1/1.json", kind: ItemKind.STILL, name: "still-1", version: 1, mediaType: "application/json", bytes: 420n, madeAt: ago(120) },
    { path: "items/still/still-2/1.json", kind: ItemKind.STILL, name: "still-2", version: 1, mediaType: "application/json", bytes: 420n, madeAt: ago(90) },
    { path: "items/chat-transcript/chat/1.json", kind: ItemKind.CHAT_TRANSCRIPT, name: "chat", version: 1, mediaType: "application/json", bytes: 2113n, madeAt: ago(20) },
    { path: "items/chapters/chapters/1.json", kind: ItemKind.CHAPTERS, name: "chapters", version: 1, mediaType: "application/json", bytes: 801n, madeAt: ago(20) },
    { path: "items/consents/consents/1.json", kind: ItemKind.CONSENTS, name: "consents", version: 1, mediaType: "application/json", bytes: 611n, madeAt: ago(320) },
  ],
});
export const sealed = () => ({
  ...sealing(),
  state: ExhibitState.SEALED,
  waitsFor: "",
  sealedAt: ago(4),
  sealSha256: "9f2c41d7a8b05e6633d10c9e2f7a4b8857c1d0e9a6b3f2148c7d5e90ab3412fe",
});
export const exhibits = () => ({
  exhibits: [
    { exhibitId: "e1", callId: CALL, reference: "ALC/7F3K9Q2M/1", state: ExhibitState.SEALED, openedAt: ago(340), sealedAt: ago(4) },
    { exhibitId: "e2", callId: "2", reference: "ALC/4D8XM2VT/1", state: ExhibitState.OPEN, openedAt: ago(900) },
    { exhibitId: "e3", callId: "3", reference: "ALC/Q81NB5ZC/1", state: ExhibitState.SEALED, openedAt: ago(8900), sealedAt: ago(6100) },
    { exhibitId: "e4", callId: "4", reference: "ALC/0WJ3K7HD/1", state: ExhibitState.DISPOSED, openedAt: ago(9_000_000), sealedAt: ago(8_999_000) },
  ],
});
export const goingOn = () => ({
  exhibits: [
    { exhibitId: "g1", callId: CALL, reference: "ALC/4D8XM2VT/1", state: ExhibitState.OPEN, openedAt: ago(312) },
    { exhibitId: "g2", callId: "c2", reference: "ALC/9PC2H5RW/1", state: ExhibitState.OPEN, openedAt: ago(845) },
    { exhibitId: "g3", callId: "c3", reference: "ALC/9PC2H5RW/2", state: ExhibitState.OPEN, parentExhibitId: "g9", openedAt: ago(845) },
    { exhibitId: "g4", callId: "c4", reference: "ALC/TT1V6ZB8/1", state: ExhibitState.OPEN, openedAt: ago(1290) },
    { exhibitId: "g5", callId: "c5", reference: "", state: ExhibitState.OPEN, openedAt: ago(3905) },
    ...exhibits().exhibits.filter(({ state }) => state !== ExhibitState.OPEN),
  ],
});
export const accesses = () => ({
  accesses: [
    { who: "pc-okafor", what: "read working-copy.mp4", reason: "Writing my statement", at: ago(3000) },
    { who: "sgt-price", what: "export", reason: "File for the CPS, remand hearing", at: ago(1200) },
  ],
});
export const checklist = () => ({
  packageId: "k",
  callId: CALL,
  scorePercent: 57,
  missing: ["risk-checklist", "officer-statement", "photographs"],
  items: [
    { key: "emergency-call-reference", title: "The emergency call’s reference", required: true, state: ItemState.PRESENT, evidence: "1123 of 2026-11-26" },
    { key: "consent", title: "Consent", required: true, state: ItemState.PRESENT, evidence: "video, recording, pictures" },
    { key: "initial-account", title: "Initial account", required: true, state: ItemState.PRESENT, evidence: "ALC/7F3K9Q2M/1" },
    { key: "photographs", title: "Photographs of injuries and scene", required: true, state: ItemState.MISSING },
    { key: "risk-checklist", title: "Risk checklist with grade and actions", required: true, state: ItemState.MISSING },
    { key: "officer-statement", title: "Officer’s statement", required: true, state: ItemState.MISSING },
    { key: "exhibit-list", title: "Exhibit list", required: true, state: ItemState.PRESENT, evidence: "1 exhibit" },
    { key: "children", title: "Children and neighbours", state: ItemState.MISSING },
    { key: "bail", title: "Bail and civil-order considerations", state: ItemState.NOT_APPLICABLE },
  ],
});
