// Whose desk this is, where it isn't the officer's own, and where they may go.
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Officer } from "../api";
import { get, make, say } from "../dom";
import { forceName, hour } from "../format";
import type { MayGoTo } from "../gen/alcove/transfer/v1/service_pb";
import { isLent } from "../place";
import { fill } from "./rows";

export type Until = Pick<MayGoTo, "forceId" | "until">;

/** What isn't lent has no way to it there. */
export function renderPlace(who: Officer, home: Officer, until?: Timestamp): void {
  const lent = isLent(who);
  document.body.dataset.lent = lent ? "yes" : "no";
  get("place").hidden = !lent;
  say("place-name", lent ? `${forceName(who.force)}’s desk,` : "");
  say("place-loan", lent ? `lent by ${forceName(home.force)}${until ? ` until ${hour(timestampDate(until))}` : ""}` : "");
  say("place-trouble", "");
  say("desk-title", lent ? "Calls" : "Waiting");
  if (lent) renderMayGo([]);
}

export function renderMayGo(all: Until[]): void {
  const list = get("may-go");
  fill(list, all.map(item));
  list.hidden = all.length === 0;
}

function item({ forceId, until }: Until): HTMLElement {
  const name = forceName(forceId);
  const li = make("li", "", { "data-testid": "may-go" });
  const go = make("button", `Go to ${name}’s desk`, { type: "button", class: "govuk-button govuk-button--secondary", "data-force": forceId });
  li.append(make("span", `You are lent to ${name}${until ? ` until ${hour(timestampDate(until))}` : ""}.`), go);
  return li;
}

export function followPlace(act: { go(forceId: string): Promise<void>; back(): Promise<void> }): void {
  const run = async (button: HTMLButtonElement, what: () => Promise<void>) => {
    button.disabled = true;
    await what();
    button.disabled = false;
  };
  get("may-go").addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button[data-force]");
    if (button) void run(button, () => act.go(button.dataset.force ?? ""));
  });
  get("place-back").addEventListener("click", (event) => void run(event.currentTarget as HTMLButtonElement, () => act.back()));
}
