// The shifts of the next weeks: planned, moved and cancelled by a sergeant.
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Api, type Officer, reasonOf, requestId, surely, words } from "./api";
import { get, say } from "./dom";
import type { Shift } from "./gen/alcove/transfer/v1/service_pb";
import { placeOf } from "./place";
import { sure } from "./sure";
import type { Faults } from "./view/fields";
import { plannedShift, refusedShift, renderDays, renderShiftForm, spanOf } from "./view/shifts";

/** As far ahead as the desk answers. */
const AHEAD = 30 * 86_400_000;

const REFUSED: Record<string, Faults> = {
  INVALID_OFFICER: { "shift-of": "That is no officer’s id." },
  SHIFTS_OVERLAP: { "shift-from": "They have another shift in that time." },
  INVALID_SHIFT: { "shift-until": "It ends after it begins, is at most 16 hours long, and isn’t over." },
};

export class Shifts {
  private shifts: Shift[] = [];

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly left: AbortSignal,
  ) {
    renderShiftForm();
    void this.list();
  }

  async list(): Promise<void> {
    const now = Date.now();
    try {
      const window = { from: timestampFromDate(new Date(now)), until: timestampFromDate(new Date(now + AHEAD)) };
      const { shifts } = await this.api.transfer.listShifts({ ...placeOf(this.officer), ...window }, { signal: this.left });
      if (this.left.aborted) return;
      this.shifts = shifts;
      renderDays(shifts);
    } catch (error) {
      this.trouble(error);
    }
  }

  change(shiftId: string): void {
    renderShiftForm(this.shifts.find((one) => one.shiftId === shiftId));
  }

  async set(): Promise<void> {
    const planned = plannedShift();
    if (!planned) return;
    const { from, until, ...what } = planned;
    try {
      const request = { requestId: requestId(), ...placeOf(this.officer), ...what, from: timestampFromDate(from), until: timestampFromDate(until) };
      await surely(() => this.api.transfer.setShift(request));
      if (this.left.aborted) return;
      this.done(what.shiftId ? "The shift has another time." : `${what.of} has the shift.`);
      renderShiftForm();
      get("shift-of").focus();
    } catch (error) {
      if (this.left.aborted) return;
      const faults = REFUSED[reasonOf(error)];
      if (faults) refusedShift(faults);
      else this.trouble(error);
    }
    await this.list();
  }

  async cancel(shiftId: string): Promise<void> {
    const shift = this.shifts.find((one) => one.shiftId === shiftId);
    if (!shift) return;
    const words = `${shift.of}, ${spanOf(shift)}. Whoever has other shifts is offered no call in that time.`;
    if (!(await sure({ title: "Cancel this shift?", words, go: "Cancel the shift" }))) return;
    try {
      const request = { requestId: requestId(), ...placeOf(this.officer), shiftId };
      await surely(() => this.api.transfer.cancelShift(request));
      if (this.left.aborted) return;
      this.done("The shift is cancelled.");
      if (get("shift-form").dataset.shift === shiftId) renderShiftForm();
      get("shifts-title").focus();
    } catch (error) {
      this.trouble(error);
    }
    await this.list();
  }

  private done(what: string): void {
    say("shifts-trouble", "");
    say("shifts-said", what);
  }

  private trouble(error: unknown): void {
    if (this.left.aborted) return;
    say("shifts-said", "");
    say("shifts-trouble", reasonOf(error) === "UNKNOWN_SHIFT" ? "That shift isn’t there any more." : words(error));
  }
}
