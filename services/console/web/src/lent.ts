// Going to another force's desk, being lent to it, and coming back. Never in a call: who is with a caller stays where they are.
import { type Api, type Officer, reasonOf, requestId, surely, words } from "./api";
import { say } from "./dom";
import { forceName } from "./format";
import { Presence, type WatchDeskResponse } from "./gen/alcove/transfer/v1/service_pb";
import { isLent, lentTo, placeOf } from "./place";
import { followPlace, renderMayGo, type Until } from "./view/place";

export interface Moves {
  /** A call is open, here or in another window. */
  inCall(): boolean;
  /** The page is that desk's from now on. `why`: what there is to say about it. */
  stand(who: Officer, why?: string): void;
}

export class Lent {
  private untils: Until[] = [];
  private presence = Presence.AWAY;
  /** The desk that would not have us: we are not led there again until ours says that we have come back from it. */
  private shut = "";
  private asking = false;

  constructor(
    private readonly api: Api,
    private home: Officer,
    private readonly moves: Moves,
  ) {}

  /** The same officer, signed in again. */
  know(home: Officer): void {
    this.home = home;
  }

  heard(who: Officer, desk: WatchDeskResponse): void {
    this.presence = desk.presence;
    if (isLent(who)) return;
    this.untils = desk.mayGoTo;
    renderMayGo(desk.mayGoTo);
    if (desk.atForceId === "") this.shut = "";
    else if (desk.atForceId === this.shut) void this.ask(this.home, Presence.AWAY);
    else this.stand(desk.atForceId);
  }

  /** Until when we are lent to it, as far as we were told. */
  until(forceId: string) {
    return this.untils.find((one) => one.forceId === forceId)?.until;
  }

  async go(forceId: string): Promise<void> {
    if (this.moves.inCall()) return;
    this.shut = "";
    if (await this.ask(lentTo(this.home, forceId))) this.stand(forceId);
  }

  async back(): Promise<void> {
    if (this.moves.inCall() || !(await this.ask(this.home))) return;
    // A call may have come meanwhile.
    if (!this.moves.inCall()) this.moves.stand(this.home);
  }

  /** It would not have us any more. In a call it is asked again, and answers again, after it. */
  refused(who: Officer): void {
    if (this.asking || this.moves.inCall()) return;
    this.shut = who.force;
    this.moves.stand(this.home, `You are not at ${forceName(who.force)}’s desk any more: the loan is over, or you went back in another window. This is your own desk.`);
  }

  private stand(forceId: string): void {
    if (!this.moves.inCall()) this.moves.stand(lentTo(this.home, forceId));
  }

  /** Who is free stays free, who is away stays away. Says whether it was done. */
  private async ask(who: Officer, presence = this.presence === Presence.FREE ? Presence.FREE : Presence.AWAY): Promise<boolean> {
    if (this.asking) return false;
    this.asking = true;
    try {
      const request = { requestId: requestId(), ...placeOf(who), presence };
      await surely(() => this.api.transfer.setPresence(request));
      say("place-trouble", "");
      return true;
    } catch (error) {
      const why = REFUSED[reasonOf(error)]?.(forceName(who.force)) ?? words(error);
      say("place-trouble", why);
      return false;
    } finally {
      this.asking = false;
    }
  }
}

const REFUSED: Record<string, (force: string) => string> = {
  OFFICER_IN_CALL: () => "You have a call, or ring somebody back. Finish that first.",
  NOT_YOUR_FORCE: (force) => `You are not lent to ${force} any more.`,
};

export function followLent(current: () => Lent | undefined): void {
  followPlace({
    go: async (forceId) => current()?.go(forceId),
    back: async () => current()?.back(),
  });
}
