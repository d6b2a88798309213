// The officer's statement: drafted from the record, changed and saved by hand, declared when nothing of it is left to fill in. What is typed
// is kept over everything that comes meanwhile, and saved when the case is left (./parting.ts).
import { type Api, type Officer, reasonOf, requestId, surely, words } from "../api";
import type { Statement as Version } from "../gen/alcove/referral/v1/package_pb";
import type { Case } from "../gen/alcove/referral/v1/service_pb";
import { isLent, placeOf } from "../place";
import { blanksIn } from "../view/work/blanks";
import { hideStatement, renderClash, renderStatement, renderText, renderVersions, statementText, statementTrouble } from "../view/work/statement";
import { sure } from "../sure";
import { tellAbove } from "../view/desk";
import { asideOf, putAside, takenBack } from "./aside";
import { type Going, isAnothers, parting } from "./parting";
import type { Unsent } from "./unsent";
import { everyVersion } from "./versions";

const ITEM = "officer-statement";

export class Statement {
  private versions: Version[] = [];
  /** The version that what is typed is made on. */
  private base = 0;
  /** What stands there without anybody having typed it. */
  private given = "";
  /** Another's, which came between. */
  private other: Version | undefined;
  /** What was typed before another's was taken in its place. */
  private had = "";
  /** On its way, and not answered yet. */
  private going: Going | undefined;
  private fetched = false;
  private asking = false;
  /** How the checklist has it. */
  private known = "";

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly callId: string,
    private readonly unsent: Unsent,
    private readonly left: AbortSignal,
  ) {
    // It is that force's own officers' to make.
    hideStatement(isLent(officer));
    this.had = asideOf(this.who());
  }

  /** It is on the screen. */
  show(): void {
    if (!this.fetched) void this.list();
  }

  heard({ checklist }: Case): void {
    const item = checklist.find(({ key }) => key === ITEM);
    const known = `${item?.state}${item?.evidence}`;
    if (known === this.known) return;
    this.known = known;
    if (this.fetched) void this.list();
  }

  /** Somebody has typed something that is saved nowhere. */
  get dirty(): boolean {
    return !isLent(this.officer) && statementText().trim() !== "" && statementText() !== this.given;
  }

  typed(): void {
    statementTrouble("");
    this.draw();
  }

  async draft(): Promise<void> {
    const isSure = !this.dirty || (await sure({ title: "Draft it anew?", words: "What stands there now, and isn’t saved, is gone with it.", go: "Draft it anew" }));
    if (!isSure || this.left.aborted) return;
    const before = statementText();
    try {
      const request = { requestId: requestId(), ...this.who() };
      const { text, incomplete } = await surely(() => this.api.referral.draftStatement(request));
      if (this.left.aborted) return;
      if (statementText() !== before) return statementTrouble("You have typed meanwhile, so nothing was put in its place. Draft it once more.");
      this.given = text;
      renderText(text, incomplete ? "Chapters and chat could not be read yet: their paragraphs are missing. Draft it again later for them." : "Drafted from the record. Read it; what isn’t known is left as [...].");
      statementTrouble("");
      this.draw();
    } catch (error) {
      this.trouble(error);
    }
  }

  /** Says whether nothing in it is left to fill in, as far as it is declared. */
  async save(declared: boolean): Promise<boolean> {
    const text = statementText();
    const isLeft = declared && blanksIn(text).length > 0;
    if (isLeft) statementTrouble("It can’t be declared while something in it is still to be filled in or struck out.");
    else if (text.trim() === "") statementTrouble("There is nothing to save yet.");
    else await this.send(text, declared);
    return !isLeft;
  }

  private async send(text: string, declared: boolean): Promise<void> {
    const save = { requestId: requestId(), ...this.who(), text, version: this.base, declared };
    const answer = surely(() => this.api.referral.saveStatement(save)).then(({ version }) => version);
    this.going = { save, done: answer.catch(() => undefined) };
    try {
      const version = await answer;
      if (this.left.aborted) return;
      this.going = undefined;
      [this.base, this.given, this.other] = [version, text, undefined];
      statementTrouble("");
      this.draw();
      await this.list();
    } catch (error) {
      if (this.left.aborted) return;
      this.going = undefined;
      if (reasonOf(error) !== "CHANGED_MEANWHILE") return this.trouble(error);
      // It is theirs to keep, also as it was drafted.
      this.given = "";
      await this.list();
      if (!this.left.aborted && !this.other) statementTrouble("Another version was saved meanwhile. Save yours again.");
    }
  }

  /** Both are kept: mine is what is saved next, on top of theirs. */
  keepMine(): void {
    this.base = this.other?.version ?? this.base;
    this.other = undefined;
    this.draw();
  }

  /** Theirs stands in the field, and mine beside it, in case. */
  takeTheirs(): void {
    const theirs = this.other;
    if (!theirs) return;
    const mine = statementText();
    [this.base, this.given, this.other] = [theirs.version, theirs.text, undefined];
    this.had = mine;
    renderText(theirs.text, "");
    this.draw();
  }

  putBack(): void {
    renderText(this.had, "");
    if (asideOf(this.who()) === this.had) takenBack(this.who());
    this.had = "";
    this.draw();
  }

  /** The case is left: what was typed becomes a version, as soon as anybody answers. */
  close(): void {
    const { going } = this;
    const text = statementText();
    const isGoing = going?.save.text === text;
    if (!isGoing && !this.dirty) return;
    // What is on its way, declared or not, is sent again as it is if nobody answers it.
    const save = isGoing ? going.save : { requestId: requestId(), ...this.who(), text, version: this.base, declared: false };
    const keep = () => {
      putAside(save, text);
      tellAbove("A statement of yours isn’t saved, most likely because another officer has declared theirs. Open its case again: yours is kept there.");
    };
    if (!going && isAnothers(this.other ?? this.versions[0], save)) return keep();
    this.unsent.put("statement", {
      begin: () => parting(this.api, save, going),
      refused: () => (keep(), false),
      changed: () => {},
    });
  }

  /** What is saved of it, by whomever. */
  private async list(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      const { forceId } = this.who();
      const statements = await everyVersion((pageToken) =>
        surely(() => this.api.referral.listStatements({ forceId, callId: this.callId, pageToken }, { signal: this.left })),
      );
      if (this.left.aborted) return;
      const dirty = this.dirty;
      this.versions = statements;
      this.fetched = true;
      const last = statements[0];
      if (last && last.version > this.base) {
        if (dirty) this.other = last.text === statementText() ? undefined : last;
        else if (statementText() === this.given) renderText(last.text, "");
        if (!this.other) [this.base, this.given] = [last.version, last.text];
      }
      statementTrouble("");
      this.draw();
      renderVersions(statements);
    } catch (error) {
      this.trouble(error);
    } finally {
      this.asking = false;
    }
  }

  private draw(): void {
    if (this.left.aborted) return;
    renderStatement({ last: this.versions[0], dirty: this.dirty, officer: this.officer.name });
    renderClash(this.other, this.had);
  }

  private trouble(error: unknown): void {
    if (!this.left.aborted) statementTrouble(REFUSED[reasonOf(error)] ?? words(error));
  }

  private who() {
    return { ...placeOf(this.officer), callId: this.callId };
  }
}

const REFUSED: Record<string, string> = {
  INVALID_STATEMENT: "It can’t be saved so: nothing is in it, it is longer than 50,000 characters, or it is declared with something left to fill in.",
};
