// What is to be saved and isn't yet. It is in memory only, and is sent again under the same request id until it is answered, so that a dead
// network loses nothing; under one key one thing after the other, and what is newer takes the place of what was not sent yet.
import { Code, ConnectError } from "@connectrpc/connect";
import { reasonOf } from "../api";
import { pause, sleep } from "../retry";
import { anyAside, dropAside } from "./aside";

/** One change: `begin` makes its request when its turn has come, and answers with what sends that, as often as it takes. */
export interface Change {
  begin(): () => Promise<void>;
  /** Says whether what came after it may still be sent. */
  refused(error: unknown): boolean;
  /** How it stands has changed. */
  changed(): void;
}

interface Line {
  next: Change | undefined;
  /** It was tried, and nobody answered. */
  trying: boolean;
}

const NOBODY_ANSWERED = new Set([Code.Unavailable, Code.Unknown, Code.DeadlineExceeded, Code.Canceled, Code.Internal, Code.ResourceExhausted, Code.Unauthenticated]);

/** It may be taken yet. The case lags behind the call: one that isn't known will be. */
const mayBeTaken = (error: unknown) => NOBODY_ANSWERED.has(ConnectError.from(error).code) || reasonOf(error) === "UNKNOWN_CALL";

/** Of all calls: what was written in one that was left is still sent. */
const all = new Set<Unsent>();

/** Something would be lost with the page. */
export const anyUnsent = () => anyAside() || [...all].some((one) => one.count > 0);

/** Nothing of any call is sent in somebody else's name. */
export function dropAll(): void {
  for (const one of [...all]) one.drop();
  dropAside();
}

export class Unsent {
  private readonly lines = new Map<string, Line>();
  private readonly dropped = new AbortController();

  /** `quiet`: nothing is to be asked for now, nobody is signed in. */
  constructor(
    private readonly changed: () => void,
    private readonly quiet: () => boolean = () => false,
  ) {
    all.add(this);
  }

  get count(): number {
    return this.lines.size;
  }

  /** How many of them were tried in vain. */
  get trying(): number {
    return [...this.lines.values()].filter((one) => one.trying).length;
  }

  standing(key: string): "waiting" | "trying" | undefined {
    const line = this.lines.get(key);
    return line && (line.trying ? "trying" : "waiting");
  }

  put(key: string, change: Change): void {
    const line = this.lines.get(key);
    if (line) {
      line.next = change;
      return;
    }
    this.lines.set(key, { next: change, trying: false });
    this.changed();
    void this.send(key);
  }

  drop(): void {
    this.dropped.abort();
    this.lines.clear();
    all.delete(this);
  }

  private async send(key: string): Promise<void> {
    const line = this.lines.get(key)!;
    let change: Change | undefined;
    while (line.next) {
      change = line.next;
      line.next = undefined;
      if (!(await this.one(line, change))) line.next = undefined;
      if (this.dropped.signal.aborted) return;
    }
    this.lines.delete(key);
    change?.changed();
    this.changed();
  }

  /** Until it is answered. */
  private async one(line: Line, change: Change): Promise<boolean> {
    const send = change.begin();
    for (let tries = 0; !this.dropped.signal.aborted; tries++) {
      while (this.quiet() && !this.dropped.signal.aborted) await sleep(pause(2), this.dropped.signal);
      if (this.dropped.signal.aborted) break;
      try {
        await send();
        line.trying = false;
        return true;
      } catch (error) {
        if (this.dropped.signal.aborted) break;
        if (!mayBeTaken(error)) {
          line.trying = false;
          return change.refused(error);
        }
        line.trying = true;
        change.changed();
        this.changed();
        await sleep(pause(tries), this.dropped.signal);
      }
    }
    return false;
  }
}
