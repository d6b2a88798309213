// The desk as it is, from WatchDesk, for as long as the officer is signed in; and their heartbeat.
import { Code, ConnectError } from "@connectrpc/connect";
import { isSergeant } from "./alerts";
import { type Api, type Officer, reasonOf, requestId, surely } from "./api";
import { Presence, type WatchDeskResponse } from "./gen/alcove/transfer/v1/service_pb";
import { isLent, placeOf } from "./place";
import { keep } from "./retry";

/** How another force's desk says that we are not lent to it, or not there. */
const SHUT = ["NOT_YOUR_FORCE", "UNKNOWN_OFFICER"];

export interface DeskTell {
  desk(desk: WatchDeskResponse): void;
  /** Whether we hear from the desk at all. */
  line(up: boolean): void;
  /** Another force's desk would not have us any more. */
  refused(): void;
}

export class DeskFeed {
  private readonly ended = new AbortController();
  private readonly pulse = new Worker(new URL("./pulse.ts", import.meta.url), { type: "module" });

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly tell: DeskTell,
  ) {
    void keep(this.ended.signal, (well) => this.watch(well), (error) => this.broken(error));
    this.pulse.onmessage = () => void this.beat();
  }

  async presence(presence: Presence): Promise<void> {
    const request = { requestId: requestId(), ...this.who(), presence };
    await surely(() => this.api.transfer.setPresence(request));
  }

  async accept(callId: string): Promise<void> {
    const request = { requestId: requestId(), ...this.who(), callId };
    await surely(() => this.api.transfer.acceptOffer(request));
  }

  async decline(callId: string, reason: string): Promise<void> {
    const request = { requestId: requestId(), ...this.who(), callId, reason };
    await surely(() => this.api.transfer.declineOffer(request));
  }

  close(): void {
    this.ended.abort();
    this.pulse.terminate();
  }

  private who() {
    return placeOf(this.officer);
  }

  private async watch(well: () => void): Promise<void> {
    for await (const desk of this.api.transfer.watchDesk({ ...this.who(), withAlerts: isSergeant(this.officer) }, { signal: this.ended.signal })) {
      well();
      this.tell.line(true);
      this.tell.desk(desk);
    }
    this.broken();
  }

  private broken(error?: unknown): boolean {
    if (this.ended.signal.aborted) return false;
    if (this.shut(error)) return true;
    this.tell.line(false);
    return error === undefined || ConnectError.from(error).code !== Code.Unauthenticated;
  }

  private async beat(): Promise<void> {
    try {
      await this.api.transfer.heartbeat(this.who(), { timeoutMs: 4000 });
    } catch (error) {
      // Not at the desk yet, or cut off: the next one is in five seconds, and the watch says what is wrong.
      this.shut(error);
    }
  }

  /** At one's own desk the same only means that one hasn't come yet. */
  private shut(error: unknown): boolean {
    const is = isLent(this.officer) && error !== undefined && SHUT.includes(reasonOf(error));
    if (is && !this.ended.signal.aborted) this.tell.refused();
    return is;
  }
}
