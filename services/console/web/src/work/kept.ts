// What several officers write at once: each thing has a version, a change says on which it was made, and one that was made on an older one
// is shown beside the other's, for the officer to choose. Answers and persons are kept so.
import { reasonOf, requestId } from "../api";
import type { Unsent } from "./unsent";

export interface Versioned {
  version: bigint;
}

export interface Ways<T> {
  /** As it is sent, however often: a retry is the same request. */
  begun?(key: string, item: T): T;
  /** Saves it under this id, and answers with what it is from then on. */
  save(key: string, item: T, requestId: string): Promise<T>;
  /** They say the same. */
  same(a: T, b: T): boolean;
  /** Somebody is typing there: what they have begun with stays under their fingers. */
  editing(key: string): boolean;
  /** What mine and theirs are together, if nothing of the one is in the way of the other. */
  merged?(base: T, mine: T, theirs: T): T | undefined;
  /** What one is made on that nobody has written yet. */
  blank?(of: T): T;
  changed(key: string): void;
  refused(key: string, error: unknown): void;
}

export type Standing = "saved" | "waiting" | "trying" | "clash" | "refused" | "none";

export class Kept<T extends Versioned> {
  /** As it was last heard. */
  private readonly theirs = new Map<string, T>();
  /** What is on the screen, and what a change is made on. */
  private readonly base = new Map<string, T>();
  private readonly mine = new Map<string, T>();
  private readonly clashes = new Set<string>();
  private readonly refused = new Set<string>();

  constructor(
    private readonly unsent: Unsent,
    private readonly ways: Ways<T>,
    private readonly prefix: string,
  ) {}

  get keys(): string[] {
    return [...new Set([...this.base.keys(), ...this.mine.keys()])];
  }

  shown(key: string): T | undefined {
    return this.mine.get(key) ?? this.base.get(key);
  }

  /** The other's version, while it is to be chosen. */
  other(key: string): T | undefined {
    return this.clashes.has(key) ? this.theirs.get(key) : undefined;
  }

  standing(key: string): Standing {
    if (this.clashes.has(key)) return "clash";
    if (this.refused.has(key)) return "refused";
    return this.unsent.standing(this.prefix + key) ?? (this.base.has(key) ? "saved" : "none");
  }

  /** All of them, as they are now. An older one than is known, or was saved here meanwhile, changes nothing. */
  heard(items: Map<string, T>): void {
    for (const [key, item] of items) {
      const known = this.theirs.get(key);
      if (known && known.version >= item.version) continue;
      this.theirs.set(key, item);
      this.settle(key);
    }
    for (const key of [...this.theirs.keys()]) {
      // A form that somebody types in stays under their fingers.
      if (items.has(key) || this.mine.has(key) || this.ways.editing(key)) continue;
      this.theirs.delete(key);
      this.base.delete(key);
      this.ways.changed(key);
    }
  }

  /** Shows what was heard, where nothing of ours is in its way. */
  settle(key: string): void {
    const theirs = this.theirs.get(key);
    if (!theirs) return;
    if (this.clashes.has(key)) this.weigh(key);
    else if (!this.mine.has(key) && !this.ways.editing(key)) this.base.set(key, theirs);
    this.ways.changed(key);
  }

  /** `blank`: what it is made on if there is none. */
  change(key: string, patch: Partial<T>, blank: T): void {
    const item = { ...(this.shown(key) ?? blank), ...patch };
    this.mine.set(key, item);
    this.refused.delete(key);
    // It is to be chosen first.
    if (!this.clashes.has(key)) this.put(key, blank);
    this.ways.changed(key);
  }

  keepMine(key: string): void {
    const theirs = this.theirs.get(key);
    const mine = this.mine.get(key);
    if (!theirs || !mine) return;
    this.clashes.delete(key);
    this.base.set(key, theirs);
    this.put(key, theirs);
    this.ways.changed(key);
  }

  takeTheirs(key: string): void {
    this.clashes.delete(key);
    this.mine.delete(key);
    this.settle(key);
  }

  /** Sends what was refused once more. */
  again(): void {
    for (const key of [...this.refused]) {
      const mine = this.mine.get(key);
      if (mine) this.change(key, {}, mine);
    }
  }

  /** What was heard was of something else; what is typed stays. */
  begin(): void {
    for (const kept of [this.theirs, this.base]) kept.clear();
    this.clashes.clear();
  }

  /** Of one that is to be no more. */
  forget(key: string): void {
    for (const kept of [this.theirs, this.base, this.mine]) kept.delete(key);
    this.clashes.delete(key);
    this.refused.delete(key);
  }

  private put(key: string, blank: T): void {
    this.unsent.put(this.prefix + key, {
      begin: () => {
        const item = this.mine.get(key) ?? this.base.get(key) ?? blank;
        const id = requestId();
        const version = this.base.get(key)?.version ?? 0n;
        const sent = { ...(this.ways.begun?.(key, item) ?? item), version };
        return async () => this.saved(key, item, await this.ways.save(key, sent, id));
      },
      refused: (error) => {
        if (reasonOf(error) !== "CHANGED_MEANWHILE") {
          this.refused.add(key);
          this.ways.refused(key, error);
          this.ways.changed(key);
          return true;
        }
        this.clashes.add(key);
        this.weigh(key);
        this.ways.changed(key);
        // What was put together goes out next.
        return !this.clashes.has(key);
      },
      changed: () => this.ways.changed(key),
    });
  }

  private saved(key: string, sent: T, now: T): void {
    if (this.mine.get(key) === sent) this.mine.delete(key);
    this.base.set(key, now);
    const theirs = this.theirs.get(key);
    if (!theirs || theirs.version < now.version) this.theirs.set(key, now);
    else if (theirs.version > now.version && !this.mine.has(key) && !this.ways.editing(key)) this.base.set(key, theirs);
  }

  /** Whether there is anything to choose between. */
  private weigh(key: string): void {
    const [base, mine, theirs] = [this.base.get(key), this.mine.get(key), this.theirs.get(key)];
    // What the other has done is still on its way to us.
    if (!mine || !theirs || theirs.version === base?.version) return;
    if (this.ways.same(mine, theirs)) {
      this.clashes.delete(key);
      this.mine.delete(key);
      this.base.set(key, theirs);
      return;
    }
    const on = base ?? this.ways.blank?.(mine);
    const merged = on && this.ways.merged?.(on, mine, theirs);
    if (!merged) return;
    this.mine.set(key, merged);
    this.keepMine(key);
  }
}
