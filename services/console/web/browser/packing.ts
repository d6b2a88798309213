// A call whose package is to be made.
import { ItemState } from "../src/gen/alcove/referral/v1/service_pb";
import { desk, endCall, inCall, page, seat } from "./seat";
import * as states from "./states";
import * as work from "./work-states";

export function packing(): void {
  seat((at) => {
    at.case.set = work.set();
    at.case.kinds = work.kinds();
    at.case.partners = work.partners();
    at.case.pack.items(work.checklist());
    at.case.pack.draft = work.draft;
    at.case.pack.schedule = work.schedule();
  });
}

/** After the call, at its package. */
export async function packageAfterCall(): Promise<void> {
  desk.exhibit = states.sealed();
  const missing = work.checklist().filter(({ required, state }) => required && state === ItemState.MISSING);
  desk.package = { ...states.checklist(), items: work.checklist(), scorePercent: desk.case.now.scorePercent, missing: missing.map(({ key }) => key) };
  await inCall();
  await endCall();
  await page.click("#tab-package");
}
