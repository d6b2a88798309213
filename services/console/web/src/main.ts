// The officer's page: who is signed in decides what is shown, the desk decides what they do.
import { followActs } from "./acts";
import { After } from "./after";
import { followAlerts, isSergeant } from "./alerts";
import { type Api, connect, here, type Officer, reasonOf, signOut, whoAmI, words } from "./api";
import { followCall } from "./buttons";
import { Call, HANDED_OVER, NOT_OURS, NOT_TAKEN } from "./call";
import { Callbacks, followCallbacks } from "./callbacks";
import { followConsents } from "./consents";
import { DeskFeed } from "./desk";
import { get, onClick, say, show, view } from "./dom";
import { Presence, type WatchDeskResponse } from "./gen/alcove/transfer/v1/service_pb";
import { followEnding } from "./ending";
import { followFastTrack } from "./fast-track";
import { endedBecause, forceName } from "./format";
import { followKeys } from "./keys";
import { followLabels } from "./labels";
import { followLater, Later } from "./later";
import { followLent, Lent } from "./lent";
import type { CallStats } from "./media";
import { follow as followPicture } from "./onscreen";
import { OneWindow } from "./one-window";
import { isLent, lentTo } from "./place";
import { followReassign } from "./reassign";
import { followScreens } from "./screens";
import { clearSergeant, Sergeant } from "./sergeant";
import { followSignOut, SignedOut } from "./signed-out";
import { followTheme } from "./theme";
import { renderCallbacks } from "./view/callbacks";
import { tickCode } from "./view/call";
import { clearQueue, putAway, refuseAnswer, renderDesk, tellAbove, tellMissed, tick, TOO_LATE } from "./view/desk";
import { followOpening } from "./view/opening";
import { renderMayGo, renderPlace } from "./view/place";
import { followReady } from "./view/ready";
import { tickTimeline } from "./view/timeline";
import { followWork, leaving } from "./work/follow";
import { hold } from "./work/held";

declare global {
  interface Window {
    /** For browser tests: what went out and came in, as the browser counts it. */
    callStats(): Promise<CallStats>;
  }
}

const api: Api = connect(location.origin, signedOut);
const away = new SignedOut({ again, another: toSignIn });
const oneWindow = new OneWindow();
/** Who is signed in. */
let home: Officer | undefined;
/** The same as they are at the desk that this page is of. */
let officer: Officer | undefined;
let lent: Lent | undefined;
let feed: DeskFeed | undefined;
let sergeant: Sergeant | undefined;
let callbacks: Callbacks | undefined;
let later: Later | undefined;
let call: Call | undefined;
let after: After | undefined;
/** The call that we accepted on this page. */
let accepted = "";
/** Ended here; the desk may say otherwise for a moment. */
let ended = "";
/** The call that the desk says is ours. */
let named = "";

window.callStats = async () => (await call?.stats()) ?? { framesEncoded: 0, framesDecoded: 0, audioSent: 0, audioReceived: 0, connected: false };

async function start(): Promise<void> {
  tellRefusal();
  try {
    home = await whoAmI();
  } catch {
    say("line", "The console can’t be reached. Reload the page in a moment.");
    get("line").hidden = false;
    return;
  }
  return home ? toDesk(home) : toSignIn();
}

/** The console no longer knows us. A call of ours goes on all the same: its media don't need the console. */
function signedOut(): void {
  if (!home || !call || call.observing || call.given) return toSignIn(home);
  feed?.close();
  call.pause();
  // That is what is wrong, not the network.
  line(true);
  away.begin(home);
}

function again(who: Officer): void {
  // They may have other roles by now.
  home = who;
  lent?.know(who);
  follow(officer && isLent(officer) ? lentTo(who, officer.force) : who);
  call?.resume(() => away.heard("session"));
}

/** `who`: whose sign-in is over without them having left. */
function toSignIn(who?: Officer): void {
  leave();
  show("sign-in");
  hold(who, toDesk);
}

/** The console leads back here when a sign-in came to nothing. */
function tellRefusal(): void {
  const refused = new URLSearchParams(location.search).get("refused");
  if (!refused) return;
  history.replaceState(null, "", "/");
  const away = "The sign-in service can’t be reached. Try again in a moment.";
  say("sign-in-trouble", refused === "ISSUER_AWAY" ? away : "That did not work. Try again.");
}

function toDesk(who: Officer): void {
  home = who;
  lent = new Lent(api, who, { inCall, stand });
  say("who-name", `${who.name} · ${who.force}`);
  get("who").hidden = false;
  renderPlace(who, who);
  // Who takes calls sees first what is offered to them.
  show(isSergeant(who) && !who.roles.includes("desk_officer") ? "overview" : "desk");
  follow(who);
}

/** To the screens of a sergeant. */
function ways(sergeants: boolean): void {
  for (const id of ["way-overview", "way-rota"]) get(id).hidden = !sergeants;
}

/** A call is open, here or in another window. */
function inCall(): boolean {
  return call !== undefined || oneWindow.elsewhere;
}

/** From now on the page is another desk's, or their own again: nothing of the one before stays. */
function stand(who: Officer, why = ""): void {
  if (!home || officer?.id === who.id && officer.force === who.force) return;
  leaveDesk();
  renderPlace(who, home, lent?.until(who.force));
  show("desk");
  // What was pressed is gone from under the officer's finger.
  get("desk-title").setAttribute("tabindex", "-1");
  get("desk-title").focus({ preventScroll: true });
  tellAbove(why);
  follow(who);
}

function follow(who: Officer): void {
  officer = who;
  ways(isSergeant(who));
  later ??= new Later(api, who);
  callbacks ??= new Callbacks(api, who, (id) => {
    accepted = id;
    take(who, id);
  });
  if (isSergeant(who)) sergeant ??= new Sergeant(api, who);
  feed = new DeskFeed(api, who, { desk: (desk) => heard(who, desk), line, refused: () => lent?.refused(who) });
}

/** Ends all that belongs to a desk. */
function leaveDesk(): void {
  feed?.close();
  after?.close();
  callbacks?.leave();
  later?.leave();
  renderCallbacks([], "");
  feed = after = officer = sergeant = callbacks = later = undefined;
  oneWindow.drop();
  closeDialogs();
  renderMayGo([]);
  clearSergeant();
  putAway();
  clearQueue();
  tellMissed("");
  line(true);
  named = ended = accepted = "";
}

/** Ends all that belongs to a sign-in. */
function leave(): void {
  call?.close();
  call = undefined;
  leaveDesk();
  if (home) renderPlace(home, home);
  home = lent = undefined;
  away.end();
  get("who").hidden = true;
  ways(false);
}

function line(up: boolean): void {
  document.body.dataset.line = up ? "up" : "down";
  get("line").hidden = up;
}

function closeDialogs(): void {
  for (const asked of ["confirm", "fast-track-ask", "sign-out-ask", "give", "label", "later", "sure"]) get<HTMLDialogElement>(asked).close();
}

function heard(who: Officer, desk: WatchDeskResponse): void {
  away.heard("desk");
  renderDesk(desk, isLent(who));
  const current = (named = desk.currentCallId);
  // It may be given to us once more.
  if (current !== ended) ended = "";
  if (call?.given && call.id !== current) {
    call.close();
    passedBy("The call that was given to you is somebody else’s again.");
  }
  const busy = call ? !call.observing : current !== "" && current !== ended;
  callbacks?.heard(desk.callbacks);
  later?.heard(desk.queue);
  sergeant?.heard(desk, busy);
  if (current === "" || current === ended) oneWindow.drop();
  else if (!has(current)) take(who, current);
  // Last of all: it may lead to another desk.
  lent?.heard(who, desk);
}

/** Whether it is open here as ours, and not only watched. */
function has(id: string): boolean {
  return call?.id === id && !call.observing;
}

/** What was given to us, and not taken over yet, is not ours to take over any more. */
function passedBy(words: string): void {
  call = undefined;
  show("desk");
  tellAbove(words);
}

/** Opens a call, unless another window of this browser has it. */
function take(who: Officer, id: string): void {
  void oneWindow.take(id, () => {
    if (officer === who && !has(id)) open(who, id);
    return call?.id === id ? call.left : undefined;
  });
}

function open(who: Officer, id: string): void {
  call?.close();
  away.end();
  // What was asked on another screen would lie over the call.
  closeDialogs();
  after?.close();
  after = undefined;
  get("handed").hidden = true;
  tellMissed("");
  show("call");
  const mine = accepted === id;
  // Given to us later, the same call is another matter.
  if (mine) accepted = "";
  call = new Call(api, who, id, mine, (reason) => {
    ended = named === id ? id : "";
    call = undefined;
    closeDialogs();
    if (away.asking) {
      toSignIn(home);
      return say("sign-in-trouble", "The call has ended.");
    }
    away.end();
    if (reason === NOT_TAKEN) return passedBy("The call that was given to you has ended.");
    if (reason === NOT_OURS) return passedBy("This call isn’t yours any more.");
    if (reason === HANDED_OVER) {
      get("handed").hidden = false;
      return show("desk");
    }
    // Its evidence and what is still to be done are that force's own.
    if (isLent(who)) return passedBy(`${endedBecause(reason)}. ${forceName(who.force)}’s sergeant sees to what comes after it.`);
    follows(who, id, reason);
  });
}

/** What comes after a call: its seal, and the work on its case. */
function follows(who: Officer, id: string, reason = ""): void {
  after?.close();
  after = new After(api, who, id, reason);
  show("after");
}

/** Asks to watch a call of another officer's. */
function observe(id: string): void {
  if (!officer) return;
  call?.close();
  const from = view() === "overview" ? "overview" : "desk";
  const left = () => {
    call?.close();
    call = undefined;
    show(from);
  };
  get("observing-leave").onclick = left;
  show("call");
  call = new Call(api, officer, id, false, () => {
    left();
    if (from === "overview") say("overview-trouble", "The call that you watched has ended.");
  }, true);
}

/** Leaves a call that is only watched. Says whether there is none now: one of ours is left by ending it. */
function free(): boolean {
  if (call?.observing) get("observing-leave").click();
  return call === undefined;
}

/** An answer to the offer; on a refusal the card says why, or the desk if the offer has moved on, and the desk what is so now. */
async function answer(send: (callId: string) => Promise<void>): Promise<void> {
  const buttons = ["accept", "decline"].map((id) => get<HTMLButtonElement>(id));
  for (const button of buttons) button.disabled = true;
  const id = get("offer").dataset.call ?? "";
  say("offer-trouble", "");
  try {
    await send(id);
    putAway();
  } catch (error) {
    refuseAnswer(id, TOO_LATE[reasonOf(error)] ?? words(error));
    for (const button of buttons) button.disabled = false;
  }
}

onClick("accept", () =>
  answer(async (id) => {
    const who = officer;
    accepted = id;
    await feed?.accept(id).catch((error: unknown) => {
      if (TOO_LATE[reasonOf(error)]) accepted = "";
      throw error;
    });
    if (who && officer === who && !has(id)) take(who, id);
  }),
);
onClick("take-over", async (button) => {
  button.setAttribute("aria-disabled", "true");
  await call?.takeOver();
  button.removeAttribute("aria-disabled");
});
onClick("decline", () => answer(async (id) => feed?.decline(id, get<HTMLSelectElement>("reason").value)));
onClick("presence", async (button) => {
  button.disabled = true;
  try {
    await feed?.presence(button.dataset.state === "free" ? Presence.AWAY : Presence.FREE);
  } catch (error) {
    say("announce", words(error));
  }
  button.disabled = false;
});
followSignOut(
  () => oneWindow.elsewhere || (call !== undefined && !call.observing),
  async () => {
    // Away first: a call must not ring at an empty desk.
    await feed?.presence(Presence.AWAY).catch(() => {});
    // They go themselves: nothing of a call stays on the screen, whatever becomes of the sign-out.
    leave();
    show("loading");
    const out = await signOut().catch(() => undefined);
    if (out?.next) location.assign(out.next);
    else toSignIn();
  },
  toSignIn,
);
followCall(() => call);
followEnding(() => call);
onClick("to-desk", () =>
  leaving(() => {
    after?.close();
    after = undefined;
    show("desk");
  }),
);

followTheme();
followKeys();
const tellThere = followActs(() => home && void here().catch(() => {}));
followReady();
followOpening();
followConsents(followWork(() => officer && { api, officer, consents: call?.consents }));
followLabels(() => call);
followFastTrack(() => call?.fastTracks);
followAlerts(() => sergeant?.alerts, observe);
followCallbacks(() => callbacks);
followLater(() => later);
followReassign(() => sergeant?.reassign);
followLent(() => lent);
followScreens(() => officer && { api, officer, observe, free, follows });

const caller = get<HTMLVideoElement>("caller");
followPicture(caller);
caller.addEventListener("playing", () => (get("screen").dataset.playing = "yes"));
caller.addEventListener("emptied", () => (get("screen").dataset.playing = "no"));
window.addEventListener("pagehide", () => call?.close());
setInterval(() => {
  if (call) tellThere();
  tick();
  tickCode();
  tickTimeline();
}, 1000);

void start();
