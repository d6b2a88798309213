// What a service tells whoever follows it, and how it refuses.
import { Code, ConnectError } from "@connectrpc/connect";

/** Whoever follows gets what there is, and whatever comes. */
export class Told<T> {
  private readonly waiting = new Set<() => void>();
  private readonly said: T[] = [];

  say(what: T): void {
    this.said.push(what);
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }

  async *follow(signal: AbortSignal): AsyncGenerator<T> {
    for (let next = 0; !signal.aborted; next++) {
      while (next >= this.said.length && !signal.aborted) {
        await new Promise<void>((wake) => {
          const done = () => {
            signal.removeEventListener("abort", done);
            wake();
          };
          this.waiting.add(done);
          signal.addEventListener("abort", done);
        });
      }
      if (next < this.said.length) yield this.said[next]!;
    }
  }

  /** Whoever follows from now on hears how it is, not how it came to be. */
  forget(): void {
    this.said.splice(0, this.said.length - 1);
  }
}

/** As the services refuse: with the contract's word, the first field of an ErrorInfo, and its metadata, the third. */
export function refusal(reason: string, words: string, code = Code.FailedPrecondition, metadata: Record<string, string> = {}): ConnectError {
  const error = new ConnectError(words, code);
  const bytes = (text: string) => [text.length, ...new TextEncoder().encode(text)];
  const entries = Object.entries(metadata).flatMap(([key, value]) => {
    const entry = [0x0a, ...bytes(key), 0x12, ...bytes(value)];
    return [0x1a, entry.length, ...entry];
  });
  error.details.push({ type: "google.rpc.ErrorInfo", value: new Uint8Array([0x0a, ...bytes(reason), ...entries]) });
  return error;
}
