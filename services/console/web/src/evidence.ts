// The exhibits of the officer's force: found, looked at with a reason, exported. Every look is on record before it is answered.
import { type Api, type Officer, reasonOf, requestId, words } from "./api";
import { get, say } from "./dom";
import type { Access, ExhibitSummary } from "./gen/alcove/evidence/v1/service_pb";
import { placeOf } from "./place";
import { pause, sleep } from "./retry";
import { NotSaved, saveAs } from "./save";
import { clearFound, renderExhibits, renderFound } from "./view/exhibits";

/** Who hands an exhibit out; the evidence store asks for the same (its `access.rs`). */
const EXPORTS = ["investigator", "disclosure"];
const WORKING_COPY = "working-copy.mp4";
const IN_MEMORY = "Fetching the package into this browser’s memory. If it is larger than 1 GB, use Edge or Chrome instead.";
/** How often it is asked for while it is being made: some ten minutes. */
const PATIENCE = 120;

export class Evidence {
  private readonly left = new AbortController();
  private exhibits: ExhibitSummary[] = [];
  private next = "";
  private open = "";
  private reference = "";
  private played = "";

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
  ) {
    get("export").hidden = !officer.roles.some((role) => EXPORTS.includes(role));
    clearFound();
    this.exhibits = [];
    void this.more();
  }

  /** Nothing that was played stays on the page. */
  close(): void {
    this.left.abort();
    this.stop();
    clearFound();
  }

  /** The next page of the list; the first to begin with. */
  async more(): Promise<void> {
    await this.or("evidence-trouble", async () => {
      const page = await this.api.evidence.listExhibits({ ...this.force(), pageToken: this.next }, this.signal());
      this.exhibits.push(...page.exhibits);
      this.next = page.nextPageToken;
      this.find();
    });
  }

  /** Shows what has this in its reference, of the pages that were asked for. */
  find(): void {
    renderExhibits(this.exhibits, get<HTMLInputElement>("find").value, this.next !== "");
  }

  async look(exhibitId: string): Promise<void> {
    this.stop();
    clearFound();
    this.open = exhibitId;
    await this.show();
    if (!get("exhibit").hidden) get("exhibit").focus();
  }

  async play(reason: string): Promise<void> {
    await this.or("look-trouble", async () => {
      say("look-said", "Fetching the working copy…");
      const request = { requestId: requestId(), ...this.looks(), path: WORKING_COPY, reason };
      const copy = await this.madeSoon(() => gathered(this.api.evidence.readItem(request, this.signal()), "video/mp4"));
      if (!copy || request.exhibitId !== this.open) return;
      this.stop();
      this.played = URL.createObjectURL(copy);
      const video = get<HTMLVideoElement>("playback");
      video.src = this.played;
      video.hidden = false;
      video.focus();
      say("look-said", "");
    });
    await this.show();
  }

  async export(reason: string): Promise<void> {
    const [exhibitId, reference] = [this.open, this.reference];
    const isOpen = () => exhibitId === this.open;
    await this.or("look-trouble", async () => {
      // First of all, while it still counts as the press of a button; who thinks better of it has looked at nothing.
      const save = await saveAs(`${reference.replaceAll("/", "-")}.tar`);
      if (!save) return;
      if (isOpen()) say("look-said", save.inMemory ? IN_MEMORY : "Saving the package…");
      const request = { requestId: requestId(), ...this.looks(), exhibitId, reason };
      try {
        for await (const { chunk } of this.api.evidence.export(request, this.signal())) await save.write(chunk as Uint8Array<ArrayBuffer>);
        await save.done();
      } catch (error) {
        await save.drop();
        // Another's card says nothing of this one.
        if (!isOpen() && !this.left.signal.aborted) say("evidence-trouble", `${reference} is not exported. ${said(error)}`);
        throw error;
      }
      if (isOpen()) say("look-said", "Exported. Hand it on with its reference.");
    });
    if (isOpen()) await this.show();
  }

  /** A working copy follows the seal: whoever is quicker waits for it. */
  private async madeSoon<T>(read: () => Promise<T>): Promise<T | undefined> {
    const exhibitId = this.open;
    for (let tries = 0; !this.left.signal.aborted && exhibitId === this.open; tries++) {
      try {
        return await read();
      } catch (error) {
        if (reasonOf(error) !== "UNKNOWN_ITEM" || tries === PATIENCE) throw error;
        say("look-said", "The working copy is being made. It plays as soon as it is there.");
      }
      await sleep(pause(tries), this.left.signal);
    }
    return undefined;
  }

  private async show(): Promise<void> {
    const exhibitId = this.open;
    await this.or("evidence-trouble", async () => {
      const exhibit = await this.api.evidence.getExhibit({ ...this.force(), key: { case: "exhibitId", value: exhibitId } }, this.signal());
      const accesses: Access[] = [];
      let pageToken = "";
      do {
        const page = await this.api.evidence.listAccess({ ...this.force(), exhibitId, pageToken }, this.signal());
        accesses.push(...page.accesses);
        pageToken = page.nextPageToken;
      } while (pageToken);
      if (exhibitId !== this.open) return;
      this.reference = exhibit.reference;
      renderFound(exhibit, accesses);
    });
  }

  private stop(): void {
    const video = get<HTMLVideoElement>("playback");
    video.removeAttribute("src");
    video.load();
    video.hidden = true;
    if (this.played) URL.revokeObjectURL(this.played);
    this.played = "";
  }

  private force() {
    return { forceId: placeOf(this.officer).forceId };
  }

  private looks() {
    return { ...this.force(), exhibitId: this.open, who: placeOf(this.officer).officerId };
  }

  private signal() {
    return { signal: this.left.signal };
  }

  private async or(trouble: string, run: () => Promise<void>): Promise<void> {
    const exhibitId = this.open;
    try {
      say(trouble, "");
      await run();
    } catch (error) {
      // What was asked of one exhibit isn't said on the card of another.
      if (this.left.signal.aborted || (trouble === "look-trouble" && exhibitId !== this.open)) return;
      say("look-said", "");
      say(trouble, said(error));
    }
  }
}

const said = (error: unknown) => (error instanceof NotSaved ? error.message : words(error));

/** A working copy is one MP4 with its index in front, which no MediaSource takes: it is played from memory. */
async function gathered(parts: AsyncIterable<{ chunk: Uint8Array }>, type: string): Promise<Blob> {
  const chunks: BlobPart[] = [];
  for await (const { chunk } of parts) chunks.push(chunk as Uint8Array<ArrayBuffer>);
  return new Blob(chunks, { type });
}
