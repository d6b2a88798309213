// One connection: an offer and its answer, another ICE session whenever the network changes, and a DELETE at its end.
// Candidates are never sent: the server learns them from our checks, and nobody waits for them.
import { type Bearing, bearing } from "./bearing";
import { ANSWER_WITHIN, Refused, ask, pause, sleep } from "./retry";

const CONNECT_WITHIN = 8000;
const LOOK_EVERY = 200;
/** While we send, the server is heard ten times a second. */
const SILENT_FOR = 800;
const PATCH_WITHIN = 1500;
const LONGEST_PATCH = 6000;
/**
 * A browser may learn of the new network later than we of the loss of the old one: so the first restarts follow soon on each
 * other. Each has longer than the one before, because some paths take it.
 */
const LONGER = 1.4;
/** Restarts that brought nothing, before all is made anew. */
const RESTARTS = 8;

/** What a connection is made with. */
export interface Means extends Bearing {
  iceServers: { url: string; username: string; credential: string }[];
}

/** What a connection says of itself. */
export interface Hears {
  /** It came or went. */
  changed(): void;
  /** It is lost for good. Called once. */
  gone(): void;
  /** For what we publish: the network under it seems to have gone. That is known here long before ICE says so. */
  silent?(): void;
}

const lines = (sdp: string, start: string) => sdp.split("\r\n").filter((line) => line.startsWith(start));

/** What of an offer names its ICE session (RFC 8840). */
export function fragmentOf(offer: string): string {
  const first = (start: string) => `${lines(offer, start)[0] ?? ""}\r\n`;
  return ["m=", "a=mid:", "a=ice-ufrag:", "a=ice-pwd:"].map(first).join("");
}

/** An answer again, in the ICE session of a fragment. */
export function renewed(answer: string, fragment: string): string {
  const password = [...lines(fragment, "a=ice-pwd:").slice(0, 1), ...lines(fragment, "a=candidate:")];
  const kept = answer.split("\r\n").filter((line) => !line.startsWith("a=candidate:"));
  const inSession = (line: string) => {
    if (line.startsWith("a=ice-ufrag:")) return lines(fragment, "a=ice-ufrag:").slice(0, 1);
    return line.startsWith("a=ice-pwd:") ? password : [line];
  };
  return kept.flatMap(inSession).join("\r\n");
}

export class Link {
  readonly pc: RTCPeerConnection;
  private resource: string | undefined;
  private answer = "";
  private deadline: ReturnType<typeof setTimeout> | undefined;
  private looking: ReturnType<typeof setInterval> | undefined;
  private restarting: AbortController | undefined;
  private heard = { bytes: 0, at: 0 };
  private fruitless = 0;
  closed = false;

  constructor(
    private readonly means: Means,
    private readonly hears: Hears,
  ) {
    const servers = means.iceServers.map(({ url, username, credential }) => ({ urls: url, username, credential }));
    this.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: servers });
  }

  get up(): boolean {
    return !this.closed && this.pc.connectionState === "connected";
  }

  async open(url: string): Promise<void> {
    this.pc.onconnectionstatechange = () => this.turned();
    try {
      await this.pc.setLocalDescription(await this.pc.createOffer());
      const offer = this.pc.localDescription!.sdp;
      const [answer, sdp] = await this.send(url, "POST", { "content-type": "application/sdp" }, offer, ANSWER_WITHIN);
      if (answer.status !== 201) throw new Refused(answer.status);
      this.resource = new URL(answer.headers.get("location") ?? "", url).href;
      if (this.closed) return void this.remove();
      await this.pc.setRemoteDescription({ type: "answer", sdp });
      this.answer = sdp;
      if (!this.up) this.deadline = setTimeout(() => this.lose(), CONNECT_WITHIN);
      if (this.hears.silent) this.looking = setInterval(() => void this.look(), LOOK_EVERY);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** `gone`: the other end has dropped it already, and would not know what to delete. */
  close(gone = false): void {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.deadline);
    clearInterval(this.looking);
    this.pc.close();
    if (!gone) this.remove();
    this.hears.changed();
  }

  /**
   * Another ICE session, over whatever network there is now. Asked again meanwhile, it tries at once: a try begins a session
   * of its own, because a repeated one would be taken for candidates of the first.
   */
  async restart(): Promise<void> {
    if (this.closed || !this.answer) return;
    if (this.restarting) return this.restarting.abort();
    for (let tries = 0; ; tries++) {
      this.restarting = new AbortController();
      if (await this.tryRestart(this.restarting, Math.min(PATCH_WITHIN * 2 ** tries, LONGEST_PATCH))) break;
      await sleep(pause(tries), this.restarting.signal);
    }
    this.restarting = undefined;
  }

  /** True when there is nothing more to try. */
  private async tryRestart(stop: AbortController, within: number): Promise<boolean> {
    const began = Date.now();
    try {
      this.pc.restartIce();
      await this.pc.setLocalDescription(await this.pc.createOffer());
      const headers = { "content-type": "application/trickle-ice-sdpfrag", "if-match": "*" };
      const body = fragmentOf(this.pc.localDescription!.sdp);
      const [answer, fragment] = await this.send(this.resource!, "PATCH", headers, body, within, stop);
      if (answer.status === 429) return false;
      // They have given us up, or can't: another connection, then.
      if (answer.status !== 200) return this.lose(), true;
      await this.pc.setRemoteDescription({ type: "answer", sdp: renewed(this.answer, fragment) });
      // What a PATCH takes on this network, the checks that follow take a few times.
      const patience = (400 + 3 * (Date.now() - began)) * LONGER ** Math.max(0, this.fruitless - 1);
      this.heard.at = Date.now() + patience - SILENT_FOR;
      return true;
    } catch {
      return this.closed;
    }
  }

  private async look(): Promise<void> {
    const sends = this.pc.getSenders().some(({ track }) => track?.readyState === "live" && !track.muted);
    if (this.pc.connectionState !== "connected" || this.restarting || !sends) {
      this.heard.at = Math.max(this.heard.at, Date.now());
      return;
    }
    const counted: Record<string, number> = { transport: 0, "candidate-pair": 0 };
    for (const { type, bytesReceived } of (await this.pc.getStats()).values()) {
      if (type in counted) counted[type] += bytesReceived ?? 0;
    }
    // Firefox has no transports. A browser that counts neither says nothing of silence.
    const bytes = counted.transport || counted["candidate-pair"];
    if (!bytes) return;
    if (bytes !== this.heard.bytes) {
      this.heard = { bytes, at: Date.now() };
      this.fruitless = 0;
    } else if (Date.now() - this.heard.at > SILENT_FOR) {
      if (++this.fruitless > RESTARTS) this.lose();
      else this.hears.silent?.();
    }
  }

  private turned(): void {
    if (this.pc.connectionState === "connected") clearTimeout(this.deadline);
    if (this.pc.connectionState === "failed" || this.pc.connectionState === "disconnected") void this.restart();
    this.hears.changed();
  }

  /** Gives it up: it is to be made anew. */
  lose(): void {
    if (this.closed) return;
    this.close();
    this.hears.gone();
  }

  private remove(): void {
    if (!this.resource) return;
    fetch(this.resource, { method: "DELETE", headers: bearing(this.means), credentials: "omit", keepalive: true }).catch(() => {});
    this.resource = undefined;
  }

  private send(url: string, method: string, more: Record<string, string>, body: string, within: number, stop?: AbortController) {
    const headers = { ...more, ...bearing(this.means) };
    return ask(url, { method, headers, body, credentials: "omit" }, within, stop);
  }
}
