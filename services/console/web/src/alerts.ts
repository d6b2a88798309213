// A sergeant's alerts, on whatever screen they are: each sounds once, stays until a sergeant says that they see to it, and is back when it
// is raised again.
import { type Api, type Officer, requestId, surely, words } from "./api";
import { get, say } from "./dom";
import { type Alert, AlertKind, type WatchDeskResponse } from "./gen/alcove/transfer/v1/service_pb";
import { placeOf } from "./place";
import { alarm } from "./sound";
import { alertWords, nameOf, renderAlerts, urgentFirst } from "./view/alerts";

/** Who gets alerts; the desk asks for the same (its `access.rs`). */
export const isSergeant = (officer: Officer) => officer.roles.includes("sergeant");

export class Alerts {
  private alerts: Alert[] = [];
  private readonly sounded = new Set<string>();

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
  ) {}

  /** `inCall`: the sergeant has a caller of their own, who must not hear it. It sounds after that call, if it is there still. */
  heard({ alerts, queue, officers }: Pick<WatchDeskResponse, "alerts" | "queue" | "officers">, inCall: boolean): void {
    this.alerts = alerts;
    renderAlerts(alerts, queue, officers, inCall);
    const fresh = urgentFirst(alerts).filter((one) => !this.sounded.has(nameOf(one)));
    if (inCall || fresh.length === 0) return;
    for (const one of fresh) this.sounded.add(nameOf(one));
    const urgent = fresh[0]!.kind === AlertKind.FAST_TRACK;
    alarm(urgent ? 3 : 1);
    // The same words as the last time are news, too.
    say("announce-now", "");
    say("announce-now", `${urgent ? "Fast-track: " : "Alert: "}${alertWords(fresh[0]!)}${fresh.length > 1 ? `, and ${fresh.length - 1} more` : ""}.`);
  }

  /** Takes it off the desk, as it was shown. */
  async see(name: string): Promise<void> {
    const alert = this.alerts.find((one) => nameOf(one) === name);
    if (!alert) return;
    const { callId, kind, count } = alert;
    try {
      const request = { requestId: requestId(), ...placeOf(this.officer), callId, kind, count };
      await surely(() => this.api.transfer.acknowledgeAlert(request));
      say("overview-trouble", "");
    } catch (error) {
      say("overview-trouble", words(error));
    }
  }
}

export function followAlerts(current: () => Alerts | undefined, watch: (callId: string) => void): void {
  get("alert-rows").addEventListener("click", async (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button[data-act]");
    if (!button) return;
    const { act, alert = "", call = "" } = button.dataset;
    if (act === "watch") return watch(call);
    button.setAttribute("aria-disabled", "true");
    await current()?.see(alert);
    button.removeAttribute("aria-disabled");
  });
}
