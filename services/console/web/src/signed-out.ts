// The console no longer knows us while a call is open: it was restarted, the shift's time is over, we signed out on another machine. The
// call's media have tokens of video-session's own, so it goes on, and who is at the other end may need it to. Asks until we are known again.
import type { Officer } from "./api";
import { get } from "./dom";
import { nextOfficer } from "./next-officer";
import { sure } from "./sure";
import { renderSignedOut } from "./view/signed-out";
import { anyUnsent } from "./work/unsent";

type Feed = "desk" | "session";

export interface Known {
  /** The same officer has signed in again, wherever in this browser. */
  again(officer: Officer): void;
  /** Somebody else has: what is on this screen is not theirs. */
  another(): void;
}

export class SignedOut {
  private asks: AbortController | undefined;
  private readonly unheard = new Set<Feed>();

  constructor(private readonly tell: Known) {}

  /** Nobody is signed in, as far as we know. */
  get asking(): boolean {
    return this.asks !== undefined;
  }

  /** Said as often as it is noticed. */
  begin(officer: Officer): void {
    if (this.asks) return;
    renderSignedOut(true);
    this.unheard.add("desk").add("session");
    this.asks = new AbortController();
    void this.ask(officer, this.asks.signal);
  }

  /** The sign is there until both are heard of: a service may still refuse what the console takes. */
  heard(feed: Feed): void {
    if (!this.unheard.delete(feed) || this.asks || this.unheard.size > 0) return;
    this.end();
  }

  /** It is well again, or the call is left. */
  end(): void {
    this.asks?.abort();
    this.asks = undefined;
    this.unheard.clear();
    renderSignedOut(false);
  }

  private async ask({ id, force }: Officer, over: AbortSignal): Promise<void> {
    const found = await nextOfficer(over);
    if (!found) return;
    this.asks = undefined;
    return found.id === id && found.force === force ? this.tell.again(found) : this.tell.another();
  }
}

/**
 * The page's own button. Who signs out themselves leaves the call, too, whichever window of this browser has it; so in a call they are
 * asked first. `gone`: they did so in another window.
 */
export function followSignOut(inCall: () => boolean, out: () => Promise<void>, gone: () => void): void {
  const windows = new BroadcastChannel("alcove.sign-out");
  windows.onmessage = () => gone();
  const go = () => {
    windows.postMessage("");
    void out();
  };
  const dialog = get<HTMLDialogElement>("sign-out-ask");
  get("sign-out").addEventListener("click", async () => {
    if (inCall()) return dialog.showModal();
    // It goes out in their name or not at all.
    if (!anyUnsent() || (await sure({ title: "Sign out?", words: "Not all that was written of a case is saved yet. What isn’t is lost.", go: "Sign out" }))) go();
  });
  get("sign-out-stay").addEventListener("click", () => dialog.close());
  get("sign-out-go").addEventListener("click", () => {
    dialog.close();
    go();
  });
}
