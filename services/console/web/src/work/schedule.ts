// The disclosure schedule: each entry as it is proposed or was decided, changed by hand and saved as a whole. What was changed here stays
// changed over whatever comes meanwhile, until it is saved; what another has decided of the same, or what has itself changed, is shown beside it
// first, and the officer chooses.
import { type Api, type Officer, reasonOf, requestId, surely, words } from "../api";
import { type DisclosureSchedule, Handling, type ScheduleEntry } from "../gen/alcove/referral/v1/package_pb";
import type { Case } from "../gen/alcove/referral/v1/service_pb";
import { isLent, placeOf } from "../place";
import { entryTrouble, goToChoice, goToEntry, hideSchedule, renderSchedule, scheduleTrouble } from "../view/work/schedule";
import { type Change, clashes, isSame, type Said } from "./decided";
import { detailsOf } from "./refusal";

const ITEM = "disclosure-schedule";

export class Schedule {
  private now: DisclosureSchedule | undefined;
  /** What was changed here, and isn't saved. */
  private readonly said = new Map<string, Change>();
  private asking = false;
  private known = "";

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly callId: string,
    private readonly left: AbortSignal,
  ) {
    hideSchedule(isLent(officer));
  }

  /** It is on the screen: what there is now, and not when it was last looked at. */
  show(): void {
    void this.fetch();
  }

  heard({ checklist }: Case): void {
    const item = checklist.find(({ key }) => key === ITEM);
    const known = `${item?.state}${item?.evidence}`;
    if (known === this.known) return;
    this.known = known;
    if (this.now) void this.fetch();
  }

  change(key: string, said: Said): void {
    const entry = this.entry(key);
    if (!entry) return;
    if (isSame(entry, said)) this.said.delete(key);
    else this.said.set(key, { ...said, on: this.said.get(key)?.on ?? entry });
    entryTrouble(key, "");
    scheduleTrouble("");
    this.draw();
  }

  /** Mine is what is saved next, in full sight of what stands there now. */
  keepMine(key: string): void {
    const [entry, mine] = [this.entry(key), this.said.get(key)];
    if (entry && mine) this.said.set(key, { ...mine, on: entry });
    this.chosen(key);
  }

  takeTheirs(key: string): void {
    this.said.delete(key);
    this.chosen(key);
  }

  private chosen(key: string): void {
    entryTrouble(key, "");
    this.draw();
    goToEntry(key);
  }

  async save(): Promise<void> {
    const { now } = this;
    if (!now) return;
    const open = now.entries.find((entry) => clashes(entry, this.said.get(entry.key)));
    if (open) {
      entryTrouble(open.key, "Choose first which of the two it is.");
      return goToChoice(open.key);
    }
    const sent = new Map(this.said);
    const entries = now.entries.map(({ key, seen, ...as }) => {
      const { handling, reason } = sent.get(key) ?? as;
      return { key, seen, handling, reason };
    });
    const bare = entries.find(({ handling, reason }) => handling === Handling.SENSITIVE && reason === "");
    if (bare) return this.fault(bare.key, "Say why it is sensitive.");
    try {
      const request = { requestId: requestId(), ...this.who(), version: now.version, entries };
      const { schedule } = await surely(() => this.api.referral.saveDisclosureSchedule(request));
      if (this.left.aborted) return;
      // What was changed while it was on its way is still to be saved.
      for (const [key, one] of sent) if (this.said.get(key) === one) this.said.delete(key);
      // That it was made on what we have saved ourselves is nothing to choose between.
      for (const { key, handling, reason } of entries) {
        const [mine, entry] = [this.said.get(key), schedule?.entries.find((one) => one.key === key)];
        if (mine && entry && isSame(entry, { handling, reason })) this.said.set(key, { ...mine, on: entry });
      }
      this.now = schedule ?? now;
      scheduleTrouble("");
      this.draw();
    } catch (error) {
      if (this.left.aborted) return;
      const { key } = detailsOf(error);
      if (reasonOf(error) === "CHANGED_MEANWHILE" || reasonOf(error) === "UNKNOWN_ENTRY") {
        await this.fetch();
        if (!this.left.aborted) scheduleTrouble("It has changed meanwhile. What you chose is kept: look at what is new, then save it again.");
      } else if (key) this.fault(key, REFUSED[reasonOf(error)] ?? words(error));
      else scheduleTrouble(words(error));
    }
  }

  private fault(key: string, why: string): void {
    entryTrouble(key, why);
    goToEntry(key);
  }

  private async fetch(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      const { schedule } = await surely(() => this.api.referral.getDisclosureSchedule({ forceId: this.who().forceId, callId: this.callId }, { signal: this.left }));
      if (this.left.aborted) return;
      this.now = schedule;
      for (const [key, mine] of this.said) {
        const entry = this.entry(key);
        if (!entry || isSame(entry, mine)) this.said.delete(key);
      }
      scheduleTrouble("");
      this.draw();
    } catch (error) {
      if (!this.left.aborted) scheduleTrouble(`The schedule can’t be had at the moment. ${words(error)}`);
    } finally {
      this.asking = false;
    }
  }

  private entry(key: string): ScheduleEntry | undefined {
    return this.now?.entries.find((one) => one.key === key);
  }

  private draw(): void {
    if (!this.left.aborted && this.now) renderSchedule(this.now, this.said);
  }

  private who() {
    return { ...placeOf(this.officer), callId: this.callId };
  }
}

const REFUSED: Record<string, string> = {
  REASON_REQUIRED: "Say why it is handled so.",
  INVALID_HANDLING: "It can’t be handled so.",
};
