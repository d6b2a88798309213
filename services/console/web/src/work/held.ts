// The console knows nobody any more, and no call is open: the case goes from the screen, and what of it isn't sent yet waits, in memory as
// ever, until the same officer has signed in again in another window of this browser. For somebody else it is gone.
import type { Officer } from "../api";
import { get } from "../dom";
import { nextOfficer } from "../next-officer";
import { sleep } from "../retry";
import { anyUnsent, dropAll } from "./unsent";

let asks: AbortController | undefined;

export const isHeld = (): boolean => asks !== undefined;

/** `back` is told who has signed in. */
export function hold(who: Officer | undefined, back: (who: Officer) => void): void {
  if (!who) return;
  asks?.abort();
  asks = new AbortController();
  void wait(who, back, asks.signal);
}

function render(is: boolean): void {
  get("sign-in-held").hidden = !is;
  // This window has to stay as it is.
  if (is) get("sign-in").setAttribute("target", "_blank");
  else get("sign-in").removeAttribute("target");
}

function end(): void {
  asks?.abort();
  asks = undefined;
  render(false);
}

async function wait({ id, force }: Officer, back: (who: Officer) => void, over: AbortSignal): Promise<void> {
  // What was typed comes to what is to be sent when the case is closed.
  await sleep(0, over);
  if (over.aborted) return;
  if (!anyUnsent()) return end();
  render(true);
  const found = await nextOfficer(over);
  if (!found) return;
  end();
  if (found.id !== id || found.force !== force) dropAll();
  back(found);
}
