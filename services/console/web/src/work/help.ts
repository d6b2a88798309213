// Help for the people of a call: referrals as they stand, drafted by rule or by hand, sent by nobody but an officer.
import { type Api, type Officer, reasonOf, requestId, surely, words } from "../api";
import type { DisclosureStage } from "../gen/alcove/referral/v1/disclosure_pb";
import { type Partner, type Referral, type ReferralKind, ReferralState } from "../gen/alcove/referral/v1/help_pb";
import { PersonRole } from "../gen/alcove/referral/v1/people_pb";
import type { Case } from "../gen/alcove/referral/v1/service_pb";
import { placeOf } from "../place";
import { pause, sleep } from "../retry";
import { addTrouble, renderChildren, renderHelp, renderKinds } from "../view/work/help";
import { holdNote, noteBeside, noteSaved, referralTrouble, renderPartners, type Written } from "../view/work/referral";
import { stageRefused } from "./stages";

/** A note that isn't saved yet, and with whom as the partner. Refused: a colleague has written another meanwhile. */
interface Mine extends Written {
  partnerId: string;
  refused: boolean;
}

export class Help {
  private kinds: ReferralKind[] = [];
  private asking = false;
  private referrals: Referral[] = [];
  private now: Case | undefined;
  /** How often the case was heard of. */
  private looks = 0;
  /** Which partners are asked for, by kind: those of this postcode. */
  private readonly partnersOf = new Map<string, string>();
  private readonly found = new Map<string, Partner[]>();
  /** What is done about a referral is done one after the other. */
  private readonly turns = new Map<string, Promise<unknown>>();
  private wanted = false;
  private readonly mine = new Map<string, Mine>();

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly callId: string,
    private readonly left: AbortSignal,
    private readonly postcode: () => string,
  ) {}

  /** It is on the screen. */
  show(): void {
    this.wanted = true;
    if (this.kinds.length === 0) void this.fetch();
    this.partners();
  }

  heard(now: Case): void {
    this.looks++;
    this.put({ ...now, referrals: furthest(this.referrals, now.referrals) });
  }

  private put(now: Case): void {
    this.referrals = now.referrals;
    this.now = now;
    renderHelp(now, this.kinds);
    for (const [kind, partners] of this.found) renderPartners(kind, partners);
    renderChildren(now.people.filter((one) => one.role === PersonRole.CHILD));
    if (this.wanted) this.partners();
    for (const id of [...this.mine.keys()]) this.weigh(id);
  }

  referral(id: string): Referral | undefined {
    return this.referrals.find((one) => one.referralId === id);
  }

  /** Drafts one by hand. Says whether it was done. */
  async add(kind: string, personId: string): Promise<boolean> {
    const request = { requestId: requestId(), ...this.who(), kind, personId: this.isAboutChild(kind) ? personId : "" };
    try {
      await surely(() => this.api.referral.makeReferral(request));
      if (!this.left.aborted) addTrouble("");
      return true;
    } catch (error) {
      if (!this.left.aborted) addTrouble(REFUSED[reasonOf(error)] ?? words(error));
      return false;
    }
  }

  /** It goes there because they are the one of the area, as far as is known here. */
  isOfArea(id: string): boolean {
    const one = this.referral(id);
    const near = (this.found.get(one?.kind ?? "") ?? []).filter(({ inArea }) => inArea);
    return near.length === 1 && near[0]!.partnerId === one?.partner?.partnerId;
  }

  /** Whom a draft goes to, and what the officer adds to it. */
  async change(id: string, partnerId: string, written: Written): Promise<void> {
    const before = this.mine.get(id);
    // It is to be chosen first, unless the colleague's has gone again before it was heard of.
    if (before?.refused && this.referral(id)?.noteVersion !== before.version) return void Object.assign(before, { partnerId, text: written.text });
    const mine: Mine = { ...written, partnerId, refused: false };
    this.mine.set(id, mine);
    holdNote(id, true);
    let saved = false;
    const reason = await this.ask(id, ({ kind, personId }) => {
      const request = { requestId: requestId(), ...this.who(), kind, personId, partnerId, note: mine.text, noteVersion: mine.version };
      return async () => {
        const answer = await this.api.referral.makeReferral(request);
        saved = true;
        const [next, is] = [this.mine.get(id), answer.referral];
        if (!is || this.left.aborted) return answer;
        // What was written after this was written on it.
        noteSaved(id, is.note, is.noteVersion);
        if (next && next !== mine) Object.assign(next, { base: is.note, version: is.noteVersion });
        return answer;
      };
    });
    if (this.left.aborted || this.mine.get(id) !== mine) return;
    mine.refused = reason === "CHANGED_MEANWHILE";
    if (mine.refused) this.weigh(id);
    // Otherwise it stands in the field, with why it wasn’t saved.
    else if (saved) this.settle(id);
  }

  /** The officer has put the two notes together, or stands by their own. */
  async keepMine(id: string, text: string): Promise<void> {
    const [mine, now] = [this.mine.get(id), this.referral(id)];
    if (!mine?.refused || !now) return;
    this.mine.delete(id);
    noteBeside(id, undefined);
    await this.change(id, mine.partnerId, { text, base: now.note, version: now.noteVersion });
  }

  takeTheirs(id: string): void {
    this.settle(id);
  }

  /** A colleague's note is shown beside the officer's own, unless there is nothing to choose between. */
  private weigh(id: string): void {
    const [mine, now] = [this.mine.get(id), this.referral(id)];
    if (!mine?.refused) return;
    // Nobody can write to them any more: what was not saved stands in the field no longer than the field.
    if (!now || now.state !== ReferralState.DRAFT) return this.settle(id);
    // What the colleague has written is still on its way to us.
    if (now.noteVersion === mine.version) return;
    referralTrouble(id, "");
    if (mine.text === now.note) return this.settle(id);
    // Of the officer's there is only the partner whom they chose.
    if (mine.text === mine.base) return void this.keepMine(id, now.note);
    noteBeside(id, now.note);
  }

  /** Nothing of the officer's own waits any more. */
  private settle(id: string): void {
    this.mine.delete(id);
    holdNote(id, false);
    noteBeside(id, undefined);
    if (this.now) this.put(this.now);
  }

  /** `byHand`: they were told, and who. */
  async send(id: string, byHand = ""): Promise<string> {
    if (this.mine.get(id)?.refused) {
      referralTrouble(id, "First choose between your note and your colleague’s.");
      return "";
    }
    return this.ask(id, ({ version }) => {
      const request = { requestId: requestId(), ...this.who(), referralId: id, version, byHand };
      return () => this.api.referral.sendReferral(request);
    });
  }

  async acknowledge(id: string, acknowledgedBy: string): Promise<void> {
    const request = { requestId: requestId(), ...this.who(), referralId: id, acknowledgedBy };
    await this.ask(id, () => () => this.api.referral.acknowledgeReferral(request));
  }

  async outcome(id: string, outcome: string): Promise<void> {
    const request = { requestId: requestId(), ...this.who(), referralId: id, outcome };
    await this.ask(id, () => () => this.api.referral.recordOutcome(request));
  }

  async withdraw(id: string, reason: string): Promise<void> {
    const request = { requestId: requestId(), ...this.who(), referralId: id, reason };
    await this.ask(id, () => () => this.api.referral.withdrawReferral(request));
  }

  /** What was done about an application under Clare's Law. Answers with why it wasn’t written down. */
  async stage(id: string, stage: DisclosureStage): Promise<string> {
    const known = () => this.now?.disclosures.find(({ referralId }) => referralId === id)?.version ?? 0n;
    const request = { requestId: requestId(), ...this.who(), referralId: id, version: known(), stage };
    try {
      const { disclosure } = await surely(() => this.api.referral.recordDisclosureStage(request));
      // The stream says it again, or has said more already; who has pressed must not wait for that.
      if (!this.left.aborted && disclosure && this.now && disclosure.version > known()) {
        this.put({ ...this.now, disclosures: [...this.now.disclosures.filter(({ referralId }) => referralId !== id), disclosure] });
      }
      return "";
    } catch (error) {
      return stageRefused(error);
    }
  }

  /** Answers with the reason of a refusal. `begin` makes the request, of the referral as it is when its turn has come. */
  private ask(id: string, begin: (one: Referral) => () => Promise<{ referral?: Referral | undefined }>): Promise<string> {
    const turn = (this.turns.get(id) ?? Promise.resolve()).then(() => this.inTurn(id, begin));
    this.turns.set(id, turn);
    return turn;
  }

  private async inTurn(id: string, begin: (one: Referral) => () => Promise<{ referral?: Referral | undefined }>): Promise<string> {
    const one = this.referral(id);
    if (!one || this.left.aborted) return "";
    const { looks } = this;
    try {
      const { referral } = await surely(begin(one));
      if (this.left.aborted) return "";
      referralTrouble(id, "");
      // The stream says it again; who has pressed must not wait for that.
      if (referral && this.now) this.put({ ...this.now, referrals: answered(this.referrals, referral, this.looks === looks) });
      return "";
    } catch (error) {
      const reason = reasonOf(error);
      if (!this.left.aborted) referralTrouble(id, REFUSED[reason] ?? words(error));
      return reason;
    }
  }

  private isAboutChild(kind: string): boolean {
    return this.kinds.some((one) => one.key === kind && one.aboutChild);
  }

  private async fetch(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    for (let tries = 0; this.kinds.length === 0 && !this.left.aborted; tries++) {
      try {
        this.kinds = (await this.api.referral.listReferralKinds({ forceId: this.who().forceId }, { signal: this.left })).kinds;
        if (this.left.aborted) return;
        renderKinds(this.kinds);
        if (this.now) renderHelp(this.now, this.kinds);
        addTrouble("");
        break;
      } catch (error) {
        if (!this.left.aborted) addTrouble(`The kinds of help can’t be had at the moment. ${words(error)}`);
        await sleep(pause(tries), this.left);
      }
    }
    this.asking = false;
  }

  /** Whom each draft can go to: those of the area first. */
  private partners(): void {
    const postcode = this.postcode();
    for (const kind of new Set(this.referrals.filter(({ sentAt }) => !sentAt).map((one) => one.kind))) {
      if (this.partnersOf.get(kind) === postcode) continue;
      this.partnersOf.set(kind, postcode);
      void this.search(kind, postcode);
    }
  }

  private async search(kind: string, postcode: string): Promise<void> {
    let found: Partner[] = [];
    try {
      found = (await this.api.referral.searchPartners({ forceId: this.who().forceId, kind, postcode }, { signal: this.left })).partners;
    } catch {
      // Asked again with the next that is heard of the case.
      this.partnersOf.delete(kind);
      return;
    }
    if (this.left.aborted || this.partnersOf.get(kind) !== postcode) return;
    this.found.set(kind, found);
    renderPartners(kind, found);
  }

  private who() {
    return { ...placeOf(this.officer), callId: this.callId };
  }
}

/** An answer may come after the stream has said more than it knows ("their server has it"): then only a further state counts. What the stream doesn't know yet, it will say. */
export function answered(known: Referral[], answer: Referral, isLatest: boolean): Referral[] {
  return known.map((one) => (one.referralId === answer.referralId && (isLatest || answer.state > one.state) ? answer : one));
}

/** What is heard of the case may have been on its way already when a press was answered. A referral never goes back, so the answer counts. */
export function furthest(known: Referral[], heard: Referral[]): Referral[] {
  return heard.map((one) => known.find(({ referralId, state }) => referralId === one.referralId && state > one.state) ?? one);
}

const REFUSED: Record<string, string> = {
  CHANGED_MEANWHILE: "What it says has changed meanwhile. Read it again, then send it.",
  FIELDS_MISSING: "Something that the partner needs is missing.",
  CONSENT_MISSING: "The caller has not agreed to it.",
  NO_PARTNER: "Choose whom it goes to.",
  NO_ROUTE: "They can’t be sent anything: ring them, then say so here.",
  NOT_A_DRAFT: "It has been sent already.",
  PERSON_REQUIRED: "Say which child it is about.",
  REASON_REQUIRED: "Say why it is taken back.",
  NOT_OPEN: "It is closed already.",
};
