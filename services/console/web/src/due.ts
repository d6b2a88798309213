// What of the force is due, as a sergeant sees it: clocks that have not long to run or have run out, and what could not be delivered.
import { Code, ConnectError } from "@connectrpc/connect";
import { type Api, type Officer, words } from "./api";
import { say } from "./dom";
import { placeOf } from "./place";
import { keep } from "./retry";
import { clearDue, renderDue } from "./view/due";
import { tickLeft } from "./view/work/left";

const TICK = 10_000;

export class DueFeed {
  private readonly left = new AbortController();
  private readonly timer = setInterval(() => tickLeft(), TICK);

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
  ) {
    void keep(this.left.signal, (well) => this.watch(well), (error) => this.broken(error));
  }

  close(): void {
    this.left.abort();
    clearInterval(this.timer);
    clearDue();
  }

  private async watch(well: () => void): Promise<void> {
    const request = { forceId: placeOf(this.officer).forceId };
    for await (const { due } of this.api.referral.watchDue(request, { signal: this.left.signal })) {
      well();
      say("due-trouble", "");
      renderDue(due);
    }
  }

  private broken(error: unknown): boolean {
    if (this.left.signal.aborted) return false;
    const { code } = ConnectError.from(error);
    if (code !== Code.Unauthenticated) say("due-trouble", `What is due is not heard of at the moment. ${words(error)}`);
    return code !== Code.Unauthenticated && code !== Code.PermissionDenied && code !== Code.Unimplemented;
  }
}
