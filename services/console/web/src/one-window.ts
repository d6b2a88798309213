// A call is open in one window of this browser only. Whoever signs in again in a second one, or opens the desk twice, would otherwise join
// beside themselves, and each would take the other's place.
import { get } from "./dom";

export class OneWindow {
  private wanted = "";
  private waits: AbortController | undefined;

  /** Another window has the call that is wanted here. */
  get elsewhere(): boolean {
    return this.waits !== undefined;
  }

  /** Runs `open` when no other window has the call: at once, or as soon as that one has left it. What `open` answers ends when we leave it. */
  async take(callId: string, open: () => AbortSignal | undefined): Promise<void> {
    if (this.wanted === callId) return;
    this.drop();
    this.wanted = callId;
    const locks = navigator.locks as LockManager | undefined;
    // Over plain HTTP from another host there are none, and no camera either.
    if (!locks) {
      this.drop();
      return void open();
    }
    const name = `alcove.call.${callId}`;
    const hold = async (lock: Lock | null) => {
      if (!lock || this.wanted !== callId) return lock !== null;
      this.drop();
      const left = open();
      if (left && !left.aborted) await new Promise((done) => left.addEventListener("abort", done, { once: true }));
      return true;
    };
    if ((await locks.request(name, { ifAvailable: true }, hold)) || this.wanted !== callId) return;
    const { signal } = (this.waits = new AbortController());
    get("elsewhere").hidden = false;
    await locks.request(name, { signal }, hold).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  /** It isn't wanted here any more. */
  drop(): void {
    this.waits?.abort();
    this.waits = undefined;
    this.wanted = "";
    get("elsewhere").hidden = true;
  }
}
