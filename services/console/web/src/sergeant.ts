// What only a sergeant hears of the desk: who waits and what they need, who is there, what is wrong.
import { Alerts } from "./alerts";
import type { Api, Officer } from "./api";
import type { WatchDeskResponse } from "./gen/alcove/transfer/v1/service_pb";
import { Reassign } from "./reassign";
import { renderAlerts } from "./view/alerts";
import { renderOfficers } from "./view/officers";
import { renderWaiting } from "./view/overview";
import { renderIds } from "./view/shifts";

export class Sergeant {
  readonly alerts: Alerts;
  readonly reassign: Reassign;

  constructor(api: Api, officer: Officer) {
    this.alerts = new Alerts(api, officer);
    this.reassign = new Reassign(api, officer);
  }

  heard(desk: WatchDeskResponse, inCall: boolean): void {
    renderWaiting(desk.queue);
    renderOfficers(desk.officers);
    renderIds(desk.officers);
    this.reassign.heard(desk.officers);
    this.alerts.heard(desk, inCall);
  }
}

/** Nothing of it stays on the page. */
export function clearSergeant(): void {
  renderWaiting([]);
  renderOfficers([]);
  renderIds([]);
  renderAlerts([], [], [], false);
}
