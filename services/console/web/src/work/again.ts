// A caller is rung again, for photographs of what shows later: a further call, which comes to whoever has rung them.
import { type Api, type Officer, reasonOf, requestId, surely, words } from "../api";
import { get } from "../dom";
import { placeOf } from "../place";
import { againSaid, againTrouble, askedAgain, clearAgain, openAgain, renderRung } from "../view/work/again";
import { select } from "../view/work/panel";
import { detailsOf } from "./refusal";

/** As the consent's ledger has it. */
const HOW = "spoken on the phone, when rung again";

export class Again {
  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly callId: string,
    private readonly left: AbortSignal,
  ) {}

  async start(): Promise<void> {
    const asked = askedAgain();
    if (!asked) return;
    const consents = asked.consents.map((one) => ({ ...one, how: HOW }));
    const request = { requestId: requestId(), ...placeOf(this.officer), callId: this.callId, ...asked, consents };
    try {
      await surely(() => this.api.intake.startFollowUp(request));
      if (this.left.aborted) return;
      clearAgain();
      openAgain(true);
      againSaid("They are asked in: the call comes to you, or to whoever is free.");
    } catch (error) {
      if (!this.left.aborted) againTrouble(refusedAgain(error));
    }
  }
}

export function followAgain(current: () => Again | undefined): void {
  get("again-head").addEventListener("click", () => openAgain());
  get("clocks").addEventListener("click", (event) => {
    if ((event.target as HTMLElement).closest("[data-again]")) toAgain();
  });
  get("again-lines").addEventListener("change", () => {
    againTrouble("");
    renderRung();
  });
  get("again-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = get("again-go");
    if (button.getAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    await current()?.start();
    button.removeAttribute("aria-disabled");
  });
}

/** From wherever it is due. */
export function toAgain(): void {
  select("package");
  openAgain(true);
  get("again-head").scrollIntoView({ block: "nearest" });
  get("again-form").querySelector("select")!.focus();
}

/** Of who may not come by video it is said what to do instead, as the force's rules have it: somebody in danger needs a unit, and no other
 * time. */
function refusedAgain(error: unknown): string {
  const { eligibility = "", instead = "" } = detailsOf(error);
  if (eligibility === "IMMEDIATE_DANGER" || eligibility === "OFFENDER_PRESENT") return instead || AT_ONCE;
  const why = REFUSED[reasonOf(error)] ?? words(error);
  return instead ? `${why} ${instead}` : why;
}

const AT_ONCE = "Send a response unit now. Don’t go on by video.";
const REFUSED: Record<string, string> = {
  CALL_NOT_OVER: "This call isn’t closed yet: it goes on, or no officer has had it.",
  FOLLOW_UP_OPEN: "A further call of this incident goes on already.",
  NOT_ELIGIBLE: "It isn’t safe by video now, or they can’t join.",
  NO_VIDEO_CONSENT: "They don’t agree to video: nothing is begun.",
  INVALID_TRIAGE: "It can’t be begun so. Look at each answer.",
  INVALID_NUMBER: "The number that you rang is none: write all of it.",
};
