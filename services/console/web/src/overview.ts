// The sergeant's screen while it is shown: the desk's figures, and which calls go on. Who waits and what is wrong is heard with the desk
// itself (alerts.ts).
import { Code, ConnectError } from "@connectrpc/connect";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Api, type Officer, words } from "./api";
import { say } from "./dom";
import { DueFeed } from "./due";
import { ExhibitState } from "./gen/alcove/evidence/v1/service_pb";
import type { WatchFiguresResponse } from "./gen/alcove/transfer/v1/service_pb";
import { placeOf } from "./place";
import { keep } from "./retry";
import { clearWhole, renderHours, renderNow, renderWhole } from "./view/figures";
import { asksUs, renderOffers } from "./view/loans";
import { renderRecorded, renderShifts } from "./view/officers";
import { clearOverview } from "./view/overview";

const HOUR = 3_600_000;
/** A call is recorded some seconds after an officer has it, which changes no figure. */
const AGAIN = 10_000;
/** Shifts and loans change seldom. */
const SHIFTS_AGAIN = 60_000;
/** A call that goes on is among the newest exhibits. */
const NEWEST = 200;

export class Overview {
  private readonly left = new AbortController();
  private readonly timer = setInterval(() => void this.goingOn(), AGAIN);
  private readonly roster = setInterval(() => (void this.shifts(), void this.loans()), SHIFTS_AGAIN);
  private readonly due: DueFeed;
  private live: WatchFiguresResponse | undefined;
  private hours = 0;
  private asking = false;
  private away = false;

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
  ) {
    this.due = new DueFeed(api, officer);
    void this.goingOn();
    void this.shifts();
    void this.loans();
    void keep(this.left.signal, (well) => this.watch(well), (error) => this.broken(error));
  }

  close(): void {
    this.left.abort();
    this.due.close();
    clearInterval(this.timer);
    clearInterval(this.roster);
    renderShifts([]);
    renderOffers(0);
    renderRecorded(undefined);
    clearOverview();
  }

  /** Of so many hours back from now; 0: of the last 24, as they go on. */
  async window(hours: number): Promise<void> {
    this.hours = hours;
    // Nobody must read the figures of one time as those of another.
    clearWhole();
    if (hours === 0) return this.show();
    const until = new Date();
    const from = new Date(until.getTime() - hours * HOUR);
    try {
      const request = { ...this.who(), from: timestampFromDate(from), until: timestampFromDate(until) };
      const figures = await this.api.transfer.getDeskFigures(request, this.signal());
      if (hours !== this.hours || this.left.signal.aborted) return;
      if (figures.whole) renderWhole(figures.whole);
      renderHours(figures.hours);
      say("overview-trouble", "");
    } catch (error) {
      if (hours === this.hours && !this.left.signal.aborted) say("overview-trouble", words(error));
    }
  }

  private show(): void {
    if (!this.live) return;
    if (this.live.now) renderNow(this.live.now);
    if (this.hours !== 0) return;
    if (this.live.whole) renderWhole(this.live.whole);
    renderHours(this.live.hours);
  }

  private async watch(well: () => void): Promise<void> {
    for await (const figures of this.api.transfer.watchFigures(this.who(), this.signal())) {
      well();
      const moved = this.live?.now?.inCall !== figures.now?.inCall;
      this.live = figures;
      if (this.away) say("overview-trouble", "");
      this.away = false;
      this.show();
      if (moved) void this.goingOn();
    }
  }

  private broken(error: unknown): boolean {
    if (this.left.signal.aborted) return false;
    const { code } = ConnectError.from(error);
    this.away = true;
    if (code !== Code.Unauthenticated) say("overview-trouble", `The figures are not heard of at the moment. ${words(error)}`);
    return code !== Code.Unauthenticated && code !== Code.PermissionDenied;
  }

  /** What is being recorded is a call that goes on. An addendum is none. */
  private async goingOn(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      const { exhibits } = await this.api.evidence.listExhibits({ forceId: this.who().forceId, pageSize: NEWEST }, this.signal());
      if (!this.left.signal.aborted) renderRecorded(exhibits.filter((one) => one.state === ExhibitState.OPEN && one.parentExhibitId === ""));
    } catch {
      // What was heard last stays, and it is asked again soon; the figures' stream says what is wrong.
    }
    this.asking = false;
  }

  /** Whose shift it is now. */
  private async shifts(): Promise<void> {
    const now = Date.now();
    try {
      const window = { from: timestampFromDate(new Date(now - HOUR)), until: timestampFromDate(new Date(now + HOUR)) };
      const { shifts } = await this.api.transfer.listShifts({ ...this.who(), ...window }, this.signal());
      if (!this.left.signal.aborted) renderShifts(shifts);
    } catch {
      // As with the calls that go on.
    }
  }

  /** Whether another force waits for our answer. */
  private async loans(): Promise<void> {
    try {
      const { loans } = await this.api.transfer.listLoans(this.who(), this.signal());
      if (!this.left.signal.aborted) renderOffers(loans.filter((one) => asksUs(one, this.who().forceId)).length);
    } catch {
      // As with the calls that go on.
    }
  }

  private who() {
    return placeOf(this.officer);
  }

  private signal() {
    return { signal: this.left.signal };
  }
}
