// What was done about a Clare's Law application is written down stage by stage; what is refused is said in words.
import { reasonOf, words } from "../api";
import { get } from "../dom";
import { chooseStage, clearStage, lackingIn, stageOf, stageTrouble, stageTyped } from "../view/work/stages";
import { referralOf } from "../view/work/referral";
import type { Help } from "./help";
import { detailsOf } from "./refusal";

export function followStages(current: () => Help | undefined): void {
  const list = get("referrals");
  const nameOf = (target: EventTarget | null) => (target as HTMLElement).closest<HTMLElement>("[data-stages]")?.dataset.stages;
  for (const event of ["input", "change"]) {
    list.addEventListener(event, ({ target }) => {
      const name = nameOf(target);
      if (!name) return;
      if ((target as HTMLElement).dataset.stage !== undefined) return chooseStage(name);
      stageTyped(name, true);
      stageTrouble(name, "");
    });
  }
  list.addEventListener("submit", async (event) => {
    const name = nameOf(event.target);
    if (!name) return;
    event.preventDefault();
    const id = referralOf(event.target as Element);
    const lacking = lackingIn(name);
    if (lacking) return stageTrouble(name, `This is needed: ${lacking.charAt(0).toLowerCase()}${lacking.slice(1)}.`);
    const button = (event.target as HTMLElement).querySelector<HTMLElement>("[type=submit]")!;
    if (button.getAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    const why = await current()?.stage(id, stageOf(name));
    // The card may be gone: the case was left meanwhile.
    if (button.isConnected) {
      stageTrouble(name, why ?? "");
      if (why === "") clearStage(name);
    }
    button.removeAttribute("aria-disabled");
  });
}

/** Why a stage was not written down. */
export function stageRefused(error: unknown): string {
  const said = REFUSED[reasonOf(error)];
  const { field } = detailsOf(error);
  return said && field ? `${said} (${field.replace(/_/g, " ")})` : (said ?? words(error));
}

const REFUSED: Record<string, string> = {
  CHANGED_MEANWHILE: "Another stage was written down meanwhile. Look at it, then write yours down again.",
  INVALID_STAGE: "Something of it is missing or too long.",
  NOT_CHECKED: "Who they are and whether it is safe for them must be checked before it is decided.",
  NOT_SENT: "The application is still a draft. Send it first.",
  NOT_DECIDED: "Nothing is planned or told before it was decided. If somebody must be protected at once, say why it could not wait.",
  NOT_PLANNED: "It is told at a time and in a way that are safe: plan them first. If it could not wait, say why.",
  STAGE_PAST: "That stage is past.",
  WITHDRAWN: "The application was taken back.",
};
