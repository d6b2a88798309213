// After the call: the exhibit on its way to the seal, and the package with what is still missing.
import { type Api, type Officer } from "./api";
import { get, make, say } from "./dom";
import { digest, endedBecause, SEAL_STEPS } from "./format";
import { ExhibitState, type GetExhibitResponse, ItemKind } from "./gen/alcove/evidence/v1/service_pb";
import type { GetPackageResponse } from "./gen/alcove/referral/v1/service_pb";
import { placeOf } from "./place";
import { pause, sleep } from "./retry";
import { markOf, missingWords } from "./view/work/package";

export class After {
  private readonly left = new AbortController();

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    readonly callId: string,
    reason: string,
  ) {
    const after = get("after");
    after.dataset.state = "sealing";
    after.dataset.call = callId;
    say("after-title", endedBecause(reason));
    say("seal-state", "Sealing…");
    say("seal-waits", "");
    say("exhibit-holds", "—");
    say("exhibit-reference", "—");
    say("seal-digest", "—");
    steps(ExhibitState.OPEN);
    say("package-score", "");
    say("package-state", "Opening the checklist…");
    get("package-items").replaceChildren();
    void this.until(() => this.seal());
    void this.until(() => this.package());
  }

  close(): void {
    this.left.abort();
  }

  /** Asks until it is done, or the officer has left the page. */
  private async until(ask: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; !this.left.signal.aborted; tries++) {
      // Not there yet, or not reachable: asked again either way.
      const done = await ask().catch(() => false);
      if (done || this.left.signal.aborted) return;
      await sleep(Math.min(2000, pause(tries)), this.left.signal);
    }
  }

  private async seal(): Promise<boolean> {
    const request = { forceId: placeOf(this.officer).forceId, key: { case: "callId", value: this.callId } } as const;
    const exhibit = await this.api.evidence.getExhibit(request, { signal: this.left.signal });
    renderExhibit(exhibit);
    return exhibit.state === ExhibitState.SEALED;
  }

  private async package(): Promise<boolean> {
    const request = { forceId: placeOf(this.officer).forceId, callId: this.callId };
    renderPackage(await this.api.referral.getPackage(request, { signal: this.left.signal }));
    // It goes on filling: with the seal first, later with what others add.
    return false;
  }
}

function steps(state: ExhibitState): void {
  get("seal-steps").replaceChildren(
    ...SEAL_STEPS.map((step) => make("li", step.words, { "data-done": String(state >= step.state) })),
  );
}

export function renderExhibit(exhibit: GetExhibitResponse): void {
  const sealed = exhibit.state === ExhibitState.SEALED;
  get("after").dataset.state = sealed ? "sealed" : "sealing";
  say("seal-state", sealed ? "Sealed" : "Sealing…");
  say("seal-waits", !sealed && exhibit.waitsFor ? `It waits: ${exhibit.waitsFor}.` : "");
  say("exhibit-holds", holds(exhibit));
  say("exhibit-reference", exhibit.reference || "—");
  say("seal-digest", digest(exhibit.sealSha256) || "—");
  get("seal-digest").dataset.sha256 = exhibit.sealSha256;
  steps(exhibit.state);
}

function counted(count: number, one: string): string {
  return count === 0 ? "" : count === 1 ? `1 ${one}` : `${count} ${one}s`;
}

function holds({ tracks, items }: GetExhibitResponse): string {
  const stills = items.filter((one) => one.kind === ItemKind.STILL).length;
  return [counted(tracks.length, "recorded track"), counted(stills, "picture"), counted(items.length - stills, "other item")].filter(Boolean).join(", ") || "—";
}

export function renderPackage(answer: GetPackageResponse): void {
  say("package-score", `${answer.scorePercent}%`);
  say("package-state", missingWords(answer.missing.length));
  // What is missing comes first: that is what the officer can act on.
  const urgency = (item: { key: string }) => (answer.missing.includes(item.key) ? 0 : 1);
  get("package-items").replaceChildren(
    ...[...answer.items]
      .sort((a, b) => urgency(a) - urgency(b))
      .map((item) => {
        const { state, words, colour } = markOf(item);
        const li = make("li", "", { "data-key": item.key, "data-state": state });
        li.append(make("span", item.title || item.key, { class: "item" }));
        if (item.evidence) li.append(make("span", item.evidence, { class: "evidence" }));
        li.append(make("strong", words, { class: `govuk-tag govuk-tag--${colour} mark` }));
        return li;
      }),
  );
}
