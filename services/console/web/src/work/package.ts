// The package of a call: its checklist as the case has it, what an officer says of an item, and its seal.
import { type Api, type Officer, reasonOf, requestId, surely, words } from "../api";
import type { Case, ChecklistItem } from "../gen/alcove/referral/v1/service_pb";
import { isLent, placeOf } from "../place";
import { get } from "../dom";
import { renderAgain } from "../view/work/again";
import { lacks, renderChecklist } from "../view/work/package";
import { noteSaved, noteTrouble } from "../view/work/note";
import { renderSealing, sealTrouble } from "../view/work/sealing";

export class Package {
  private now: Case | undefined;

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly callId: string,
    private readonly left: AbortSignal,
  ) {}

  get lent(): boolean {
    return isLent(this.officer);
  }

  heard(now: Case): void {
    this.now = now;
    this.draw();
  }

  /** As the panel stands now: beside the call, or after it. */
  draw(): void {
    if (!this.now || this.left.aborted) return;
    renderChecklist(this.now.checklist, this.now.scorePercent, this.lent);
    renderAgain(get("work").dataset.at === "after" && !this.lent);
    renderSealing(this.now.sealed, this.missing, this.lent);
  }

  item(key: string): ChecklistItem | undefined {
    return this.now?.checklist.find((one) => one.key === key);
  }

  get case(): Case | undefined {
    return this.now;
  }

  private get missing(): string[] {
    return (this.now?.checklist ?? []).filter(lacks).map(({ title, key }) => title || key);
  }

  /** Says how an item stands that nothing else fills. */
  async note(key: string, applies: boolean, text: string): Promise<void> {
    const request = { requestId: requestId(), ...this.who(), key, applies, text };
    try {
      await surely(() => this.api.referral.notePackageItem(request));
      if (!this.left.aborted) noteSaved(key, applies, text);
    } catch (error) {
      if (!this.left.aborted) noteTrouble(key, words(error));
    }
  }

  /** Says whether it was asked for. */
  async seal(reason: string): Promise<boolean> {
    const request = { requestId: requestId(), ...this.who(), reason };
    try {
      const { sealed } = await surely(() => this.api.referral.sealPackage(request));
      if (this.left.aborted) return false;
      sealTrouble("");
      // The stream says it again, or has said more of it already; who has pressed must not wait for that.
      const isNews = sealed && !this.now?.sealed.some(({ number }) => number === sealed.number);
      if (isNews && this.now) this.heard({ ...this.now, sealed: [sealed, ...this.now.sealed] });
      return true;
    } catch (error) {
      if (!this.left.aborted) sealTrouble(REFUSED[reasonOf(error)] ?? words(error));
      return false;
    }
  }

  /** The index as a PDF, to be printed. */
  async index(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const { pdf } = await surely(() => this.api.referral.getPackageIndex(this.who(), { signal: this.left }));
      sealTrouble("");
      return new Uint8Array(pdf);
    } catch (error) {
      if (!this.left.aborted) sealTrouble(REFUSED[reasonOf(error)] ?? words(error));
      return undefined;
    }
  }

  private who() {
    return { ...placeOf(this.officer), callId: this.callId };
  }
}

const REFUSED: Record<string, string> = {
  UNKNOWN_PACKAGE: "The package begins when the call has ended. Try again in a moment.",
  NO_EXHIBIT: "Its exhibit isn’t known here yet. Try again in a moment.",
  REASON_REQUIRED: "Required items are missing: say why it is sealed without them.",
};
