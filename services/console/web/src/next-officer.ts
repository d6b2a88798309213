// A sign-in is over: who is signed in next, in whatever window of this browser.
import { type Officer, whoAmI } from "./api";
import { pause, sleep } from "./retry";

/** How often the console is asked who we are, milliseconds. */
const EVERY = 2000;

/** Asks until somebody is. Nobody, if it is over first. */
export async function nextOfficer(over: AbortSignal): Promise<Officer | undefined> {
  for (let away = 0; ; ) {
    await sleep(Math.max(EVERY, pause(away)), over);
    if (over.aborted) return undefined;
    const found = await whoAmI().then(
      (who) => ((away = 0), who),
      () => void away++,
    );
    if (over.aborted) return undefined;
    if (found) return found;
  }
}
