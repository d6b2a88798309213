// The work on one call's case, during the call and after it: one stream says how it stands, to the four parts of the panel and to every
// officer who has it open.
import { Code, ConnectError } from "@connectrpc/connect";
import { type Api, type Officer, words } from "../api";
import { Consents } from "../consents";
import { get, say } from "../dom";
import type { Case } from "../gen/alcove/referral/v1/service_pb";
import { placeOf } from "../place";
import { pause, sleep } from "../retry";
import { clearWork, renderUnsent } from "../view/work/panel";
import { Help } from "./help";
import { Package } from "./package";
import { Persons } from "./persons";
import { Risk } from "./risk";
import { Schedule } from "./schedule";
import { Statement } from "./statement";
import { Unsent } from "./unsent";

/** A network may hiccup: from so many tries on it is said. */
const IN_VAIN = 3;

export class Work {
  private readonly over = new AbortController();
  private readonly unsent = new Unsent(() => this.told(), signedOut);
  private afterwards: Consents | undefined;
  readonly risk: Risk;
  readonly persons: Persons;
  readonly help: Help;
  readonly pack: Package;
  readonly statement: Statement;
  readonly schedule: Schedule;

  constructor(
    private readonly api: Api,
    readonly officer: Officer,
    readonly callId: string,
  ) {
    clearWork();
    const { signal } = this.over;
    this.risk = new Risk(api, officer, callId, this.unsent, signal);
    this.persons = new Persons(api, officer, callId, this.unsent, signal);
    this.help = new Help(api, officer, callId, signal, () => this.persons.victim?.postcode ?? "");
    this.pack = new Package(api, officer, callId, signal);
    this.statement = new Statement(api, officer, callId, this.unsent, signal);
    this.schedule = new Schedule(api, officer, callId, signal);
    void this.follow(signal);
  }

  /** What the caller says after the call is written down as in it. */
  get consents(): Consents {
    return (this.afterwards ??= new Consents(this.api, this.officer, this.callId));
  }

  /** The form of the consents is this one's from now on. */
  beginAfter(): void {
    void this.consents;
    this.pack.draw();
  }

  /** Nothing of it stays on the page. What wasn't sent yet still is. */
  close(): void {
    this.statement.close();
    this.over.abort();
    clearWork();
  }

  private told(): void {
    if (!this.over.signal.aborted) renderUnsent(this.unsent.count, this.unsent.trying);
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const request = { forceId: placeOf(this.officer).forceId, callId: this.callId };
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        if (!signedOut()) {
          for await (const heard of this.api.referral.watchCase(request, { signal })) {
            if (signal.aborted) return;
            tries = 0;
            say("work-trouble", "");
            if (heard.case) this.heard(heard.case);
          }
        }
      } catch (error) {
        if (signal.aborted || !this.goesOn(error)) return;
        // What is shown may be old by now.
        if (tries >= IN_VAIN - 1 && !signedOut()) say("work-trouble", `What others write of this case can’t be had at the moment, trying again. ${words(error)}`);
      }
      await sleep(pause(tries), signal);
    }
  }

  /** Whether there is any use in asking again. What isn't there yet will be: the case begins with the call. */
  private goesOn(error: unknown): boolean {
    const { code } = ConnectError.from(error);
    const never = code === Code.PermissionDenied || code === Code.InvalidArgument || code === Code.Unimplemented;
    if (never) say("work-trouble", `Risk, people and help can’t be had here. ${words(error)}`);
    return !never;
  }

  private heard(now: Case): void {
    this.risk.heard(now);
    this.persons.heard(now);
    this.help.heard(now);
    this.pack.heard(now);
    this.statement.heard(now);
    this.schedule.heard(now);
  }
}

/** The sign is there: nothing is asked for until somebody is known again. */
const signedOut = () => !get("signed-out").hidden;
