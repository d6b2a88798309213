// One call of ours: its session watched, joined, recorded and ended. Who comes and goes is in people.ts.
import { Code, ConnectError } from "@connectrpc/connect";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Api, type Officer, reasonOf, requestId, surely, words } from "./api";
import { Chat } from "./chat";
import { Consents } from "./consents";
import { get, say } from "./dom";
import { FastTracks } from "./fast-track";
import { type CaptureStillResponse, type ChapterKind, type RecordingAction, Role, type Session, SessionState } from "./gen/alcove/session/v1/service_pb";
import { type CallStats, Media, openCamera } from "./media";
import { onScreen } from "./onscreen";
import { People } from "./people";
import { isLent, placeOf } from "./place";
import { keep } from "./retry";
import { renderBrief } from "./view/brief";
import { clearCall, renderSession, screens } from "./view/call";
import { clearChapters, renderMarked, takeNote } from "./view/chapters";
import { renderConsents } from "./view/consents";
import { renderCover } from "./view/cover";
import { type Asked, askedIn, renderDuress } from "./view/duress";
import { renderFastTrack } from "./view/fast-track";
import { isGiven, renderGiven } from "./view/given";
import { renderObserving } from "./view/observing";
import { clearOpening, renderOpening } from "./view/opening";
import { renderRecording } from "./view/recording";
import { renderSilence } from "./view/silence";
import { isPlaced, renderSuccessor } from "./view/successor";
import { addMark, clearTimeline, followSession } from "./view/timeline";
import { addToTray, clearTray, glimpse } from "./view/tray";

const NO_STATS: CallStats = { framesEncoded: 0, framesDecoded: 0, audioSent: 0, audioReceived: 0, connected: false };

/** Not an end: another officer has the call now. */
export const HANDED_OVER = "HANDED_OVER";
/** It ended while it was given to us, and we had not taken it over. */
export const NOT_TAKEN = "NOT_TAKEN";
/** Another force's, and not ours any more: whether it goes on is not for us to know. */
export const NOT_OURS = "NOT_OURS";
/** How often a session that isn't there yet is asked for: some 30 seconds. */
const PATIENCE = 10;
/** What is wrong when neither camera nor microphone can be opened. */
const NO_CAMERA = "Your camera and microphone can’t be used: the caller can’t see or hear you.";

export class Call {
  private readonly ended = new AbortController();
  private watching = new AbortController();
  private media: Media | undefined;
  private own: MediaStream | undefined;
  private muted = false;
  private covered = false;
  private briefed = false;
  private heard = false;
  private unknown = 0;
  /** The same as the session's row had it last. */
  private coveredRow: boolean | undefined;
  private asked: Asked | undefined;
  /** We are in it as its officer. */
  private placed = false;
  private joining: Promise<void> | undefined;
  /** A sergeant has given it to us, and we haven't taken it over: whoever was with the caller still is. */
  given = false;
  /** We take it over just now. */
  private taking = false;
  readonly chat: Chat;
  readonly consents: Consents;
  readonly fastTracks: FastTracks;
  readonly people: People;

  /** `mine`: accepted on this page. `observing`: another officer's; seen and heard, and nothing sent. */
  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    readonly id: string,
    private mine: boolean,
    private readonly over: (reason: string) => void,
    readonly observing = false,
  ) {
    clearCall(id);
    renderObserving(observing, undefined);
    clearChapters();
    clearTimeline();
    clearTray();
    clearOpening();
    renderBrief(id);
    this.chat = new Chat(api, officer, id);
    this.consents = new Consents(api, officer, id);
    this.fastTracks = new FastTracks(api, officer, id);
    this.people = new People(api, officer, id, this.left);
    this.resume();
  }

  /** Aborts when the call is left. */
  get left(): AbortSignal {
    return this.ended.signal;
  }

  /** Signed out: the session isn't followed, and what is heard and seen goes on. */
  pause(): void {
    this.watching.abort();
  }

  /** Follows the session, from now on or again; `heard` is called with each word of it. */
  resume(heard: () => void = () => {}): void {
    this.watching.abort();
    const { signal } = (this.watching = new AbortController());
    const watch = (well: () => void) => this.watch(signal, () => (well(), heard()));
    void keep(signal, watch, (error) => this.broken(error));
  }

  async stats(): Promise<CallStats> {
    return (await this.media?.stats()) ?? NO_STATS;
  }

  /** Joins a call that was given to us: with camera and microphone, for whoever is with the caller is sent away by that. */
  async takeOver(): Promise<void> {
    if (this.taking || !this.given) return;
    this.taking = true;
    say("given-trouble", "");
    const own = await openCamera().catch(() => null);
    const wanted = !this.ended.signal.aborted && this.given;
    if (own && wanted) {
      this.given = false;
      await (this.joining = this.join(false, own));
    } else if (wanted) say("given-trouble", `${NO_CAMERA} Allow them for this page, then take over.`);
    else for (const track of own?.getTracks() ?? []) track.stop();
    this.taking = false;
  }

  /** Pauses the recording, goes on with it, or stops it for good. Says whether it was done. */
  async record(action: RecordingAction, reason: string): Promise<boolean> {
    try {
      const request = { requestId: requestId(), ...this.who(), action, reason };
      renderRecording((await surely(() => this.api.session.setRecording(request))).state);
      say("call-trouble", "");
      return true;
    } catch (error) {
      this.trouble(error);
      return false;
    }
  }

  /** Keeps the caller's picture that is on screen; what is on record of it, for whoever compares the two. */
  async still(): Promise<CaptureStillResponse | undefined> {
    const shown = onScreen();
    if (!shown) {
      say("call-trouble", "There is no picture to keep.");
      return undefined;
    }
    const small = glimpse(get<HTMLVideoElement>("caller"));
    try {
      const request = { requestId: requestId(), ...this.who(), ...shown };
      const still = await surely(() => this.api.session.captureStill(request));
      addToTray(still.number, small);
      addMark("still", `Picture ${still.number} kept`);
      say("call-trouble", "");
      return still;
    } catch (error) {
      this.trouble(error);
      return undefined;
    }
  }

  /** Asks the caller's page for a photograph. */
  async askForPhotograph(): Promise<void> {
    try {
      const request = { requestId: requestId(), ...this.who() };
      await surely(() => this.api.session.askForPhotograph(request));
      say("call-trouble", "");
    } catch (error) {
      this.trouble(error);
    }
  }

  /** Marks that something begins now. Says whether it was done. */
  async mark(kind: ChapterKind, note = takeNote()): Promise<boolean> {
    try {
      const request = { requestId: requestId(), ...this.who(), kind, note };
      renderMarked(kind, note, await surely(() => this.api.session.markChapter(request)));
      say("call-trouble", "");
      return true;
    } catch (error) {
      this.trouble(error);
      return false;
    }
  }

  async end(): Promise<string | undefined> {
    try {
      const request = { requestId: requestId(), ...this.who() };
      const { reason } = await surely(() => this.api.session.endSession(request));
      return void this.finish(reason);
    } catch (error) {
      return words(error);
    }
  }

  /** The control room goes on with the caller; the session ends with it, and this call at once. */
  async giveBack(reason: string): Promise<string | undefined> {
    try {
      const request = { requestId: requestId(), ...this.who(), reason };
      await surely(() => this.api.transfer.returnToControlRoom(request));
      return void this.finish("RETURNED_TO_CONTROL_ROOM");
    } catch (error) {
      return words(error);
    }
  }

  /** Agrees with the caller on what their page turns into. */
  async agree(pretext: string): Promise<void> {
    try {
      const request = { requestId: requestId(), ...this.who(), pretext };
      await surely(() => this.api.session.setCover(request));
      say("call-trouble", "");
    } catch (error) {
      this.trouble(error);
    }
  }

  /** The officer has seen that the caller asks for help. */
  async acknowledge(): Promise<void> {
    const shown = this.asked;
    try {
      const request = { requestId: requestId(), ...this.who() };
      const { acknowledgedAt } = await surely(() => this.api.session.acknowledgeDuress(request));
      if (shown && shown === this.asked && acknowledgedAt) this.ask({ ...shown, seen: timestampDate(acknowledgedAt) });
      say("call-trouble", "");
    } catch (error) {
      this.trouble(error);
    }
  }

  /** Of events and row the newer counts; the row knows more of the same. */
  private ask(asked: Asked | undefined): void {
    if (this.ended.signal.aborted || !asked || (this.asked && asked.at < this.asked.at)) return;
    this.asked = asked;
    renderDuress(asked);
  }

  /** Turns our microphone off or on, off for a reason if there is one; says whether it is off now. */
  mute(reason: string): boolean {
    this.muted = !this.muted;
    this.sound(reason);
    return this.muted;
  }

  /** Their phone must not speak with our voice: the service sees to that, and so do we. */
  private cover(covered: boolean): void {
    if (this.ended.signal.aborted || this.covered === covered) return;
    this.covered = covered;
    renderCover(covered);
    addMark("cover", covered ? "Covered by the caller" : "Uncovered");
    this.sound(covered ? "The caller has covered the call" : "");
  }

  private sound(reason: string): void {
    const on = !this.muted && !this.covered;
    for (const track of this.own?.getAudioTracks() ?? []) track.enabled = on;
    void this.media?.told(on, reason);
  }

  /** `over`: the session has ended; otherwise we only leave it. */
  close(over = false): void {
    this.ended.abort();
    this.watching.abort();
    this.chat.close();
    this.media?.close(over);
    this.media = undefined;
    for (const track of this.own?.getTracks() ?? []) track.stop();
    get<HTMLVideoElement>("own").srcObject = null;
    screens([]);
    renderGiven(undefined);
    // No picture of anybody stays on the page after the call.
    clearTray();
  }

  private who() {
    return { ...placeOf(this.officer), callId: this.id };
  }

  private async watch(signal: AbortSignal, well: () => void): Promise<void> {
    for await (const { session, chat } of this.api.session.watchSession(this.who(), { signal })) {
      if (signal.aborted) return;
      well();
      this.heard = true;
      if (session) this.seen(session);
      if (chat) this.chat.heard(chat);
    }
  }

  /** With a caller who doesn't speak the call begins with the chat. */
  private brief(session: Session): void {
    renderBrief(this.id, session);
    if (this.given || this.taking) return;
    if (session.silentCaller && !this.briefed && !this.observing) get("chat-text").focus();
    this.briefed = true;
  }

  private seen(session: Session): void {
    const placed = isPlaced(session, this.officer.id);
    // What we have accepted, or are in, is ours; a page that is reloaded finds it so.
    if (placed) {
      this.given = false;
      renderGiven(undefined);
    } else if (!this.mine && !this.joining && !this.observing && isGiven(session, this.officer.id)) this.given = true;
    renderSession(session);
    this.brief(session);
    renderConsents(session);
    renderFastTrack(session);
    renderOpening(this.officer.name, session);
    followSession(session);
    if (this.observing) renderObserving(true, session, this.officer.id);
    // The events are quicker, so only what is new in the row counts: it may have been read before.
    const covered = session.coveredSince !== undefined;
    if (covered !== (this.coveredRow ?? false)) this.cover(covered);
    this.coveredRow = covered;
    this.ask(askedIn(session));
    if (session.state === SessionState.ENDED) return this.finish(this.given ? NOT_TAKEN : session.endReason);
    renderSuccessor(session, this.observing ? "" : this.officer.id);
    // Sent away for another officer. Who is given a call that they had before has been sent away, too, and isn't in yet.
    if (this.placed && !placed) return this.finish(HANDED_OVER, false);
    this.placed = placed;
    if (this.given) return renderGiven(session, this.officer.id);
    // Nobody has read a code out yet, whichever window accepted the call.
    this.joining ??= this.join(!this.observing && session.state === SessionState.INVITED && !session.invitation);
  }

  /** `invites`: with a code to be read out. `opened`: our camera and microphone, if they are open. */
  private async join(invites: boolean, opened?: MediaStream): Promise<void> {
    try {
      const request = { requestId: requestId(), ...this.who(), role: this.observing ? Role.OBSERVER : Role.OFFICER };
      const invited = invites ? this.people.invite(Role.CALLER) : Promise.resolve();
      // Whoever lets us in says which trace the call is: its media belong to it, too.
      let traceparent = "";
      const onHeader = (header: Headers) => void (traceparent = header.get("traceresponse") ?? "");
      const [way, own] = await Promise.all([
        surely(() => this.api.session.joinSession(request, { onHeader })),
        opened ?? (this.observing ? null : openCamera().catch(() => null)),
        invited,
      ]);
      this.mine = true;
      renderGiven(undefined);
      this.chat.fetchPhrases(way.eventsUrl);
      if (this.ended.signal.aborted) return own?.getTracks().forEach((track) => track.stop());
      if (own) this.own = own;
      else if (!this.observing) say("call-trouble", `${NO_CAMERA} Allow them for this page, then reload it.`);
      get<HTMLVideoElement>("own").srcObject = own;
      for (const track of own?.getAudioTracks() ?? []) track.enabled = !this.covered;
      this.media = new Media({ ...way, traceparent }, own, {
        pictures: screens,
        covered: (is) => this.cover(is),
        asked: (how, at) => { if (!this.asked || at > this.asked.at) this.ask({ how, at, count: 1 }); },
        moved: () => { if (!this.watching.signal.aborted) this.resume(); },
        // The session says so itself, and why, unless it isn't followed.
        ended: () => { if (this.watching.signal.aborted) this.finish(""); },
        changed: () => {
          get("call").setAttribute("data-media", this.media?.sending ? (this.media.receiving ? "both" : "sending") : "none");
          renderSilence(this.media?.silent ?? false);
          say("screen-held", this.media?.held ? "Your network carries only the sound for now. The picture comes back by itself." : "");
        },
      });
    } catch (error) {
      this.joining = undefined;
      // Whoever takes over says so again; otherwise it is tried again with the next that is heard of the session.
      if (!opened) return this.trouble(error);
      for (const track of opened.getTracks()) track.stop();
      if (this.ended.signal.aborted) return;
      this.given = !this.placed;
      say("given-trouble", words(error));
    }
  }

  private broken(error: unknown): boolean {
    const { code } = ConnectError.from(error);
    // Another force's call that isn't ours any more. Before it is heard of the session itself may not know yet whose it is.
    if (isLent(this.officer) && reasonOf(error) === "UNKNOWN_SESSION") {
      const isOver = this.heard || ++this.unknown >= PATIENCE;
      if (isOver) this.finish(NOT_OURS, false);
      return !isOver;
    }
    if (code === Code.NotFound || code === Code.PermissionDenied || code === Code.InvalidArgument) {
      this.trouble(error);
      return false;
    }
    return code !== Code.Unauthenticated;
  }

  /** `over`: the session has ended; otherwise it goes on without us. */
  private finish(reason: string, over = true): void {
    if (this.ended.signal.aborted) return;
    this.close(over);
    this.over(reason);
  }

  private trouble(error: unknown): void {
    if (!this.ended.signal.aborted) say("call-trouble", words(error));
  }
}
