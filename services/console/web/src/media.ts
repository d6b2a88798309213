// Our picture out by WHIP (RFC 9725), everybody else's in by WHEP, and what puts either right when it breaks. Which of the
// others publishes comes from video-session's event stream.
import { bearing } from "./bearing";
import { Link, type Means } from "./link";
import { type Bytes, SILENCE, begin, follow } from "./sse";
import { ANSWER_WITHIN, Refused, ask, pause, sleep } from "./retry";

/** Where to publish, watch and listen, and what is borne there. */
export interface Way extends Means {
  participantId: string;
  whipUrl: string;
  whepUrl: string;
  eventsUrl: string;
}

/** Whoever publishes is heard of sooner. */
const UNKNOWN_FOR = 3000;

interface Publishing {
  participant_id: string;
  role: string;
  track: string;
  /** Not while their microphone is off by choice. */
  sound: boolean;
}

export interface CallStats {
  framesEncoded: number;
  framesDecoded: number;
  audioSent: number;
  audioReceived: number;
  connected: boolean;
}

/** Somebody else's picture and voice. */
export interface Picture {
  participantId: string;
  /** The caller's page must not say what it is for, so neither do the events: "guest" is the caller. */
  role: string;
  stream: MediaStream | null;
}

export interface Tell {
  /** Everybody's who is watched now. */
  pictures(all: Picture[]): void;
  /** Something about the connections changed. */
  changed(): void;
  /** The caller has covered the call, or shows it again. */
  covered(is: boolean): void;
  /** The caller asks for help without saying so. */
  asked(how: "word" | "corner", at: Date): void;
  /** Another instance of video-session tells of the call from here on. */
  moved(): void;
  /** The session has ended. */
  ended(): void;
}

/** Watches one of the others for as long as they publish. */
class Watch {
  link: Link | undefined;
  stream: MediaStream | null = null;
  private track = "";
  private busy = false;

  constructor(
    private readonly way: Way,
    public target: Publishing | undefined,
    private readonly ended: AbortSignal,
    private readonly tell: { changed(): void; pictures(): void },
  ) {}

  async run(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    for (let tries = 0; !this.ended.aborted && this.target; ) {
      const { participant_id, track } = this.target;
      if (this.link && !this.link.closed && this.track === track) break;
      this.link?.close();
      const link = new Link(this.way, { changed: () => this.tell.changed(), gone: () => void this.run() });
      const stream = new MediaStream();
      link.pc.addTransceiver("video", { direction: "recvonly" });
      link.pc.addTransceiver("audio", { direction: "recvonly" });
      link.pc.ontrack = (event) => {
        stream.addTrack(event.track);
        this.stream = stream;
        this.tell.pictures();
      };
      [this.link, this.track] = [link, track];
      try {
        await link.open(`${this.way.whepUrl}/${participant_id}`);
        tries = 0;
      } catch (error) {
        if (isFinal(error)) break;
        // NOTHING_TO_WATCH, too: their media isn't there yet.
        await sleep(pauseAfter(error, tries++), this.ended);
      }
    }
    this.busy = false;
    if (this.ended.aborted || !this.target) this.link?.close();
  }

  /** They publish no more. */
  stop(): void {
    this.target = undefined;
    this.link?.close();
  }
}

/** The media of one call, from joining to its end. */
export class Media {
  private readonly ended = new AbortController();
  private out: Link | undefined;
  private readonly others = new Map<string, Watch>();
  /** Our network carries only the caller's sound for now. */
  held = false;
  /** The caller has turned their microphone off. */
  silent = false;
  private following = new AbortController();
  /** A stream that was begun while another was followed. */
  private better: { stop: AbortController; stream: Bytes } | undefined;
  private sound = true;
  private reason = "";
  private said = 0;
  /** Whoever tells of the session knows of what we publish, or nobody tells. */
  private known = true;
  private doubt: ReturnType<typeof setTimeout> | undefined;
  private patience = UNKNOWN_FOR;

  constructor(
    private readonly way: Way,
    private readonly own: MediaStream | null,
    private readonly tell: Tell,
  ) {
    // Another network: whatever went over the old one is begun again. The caller's silence says nothing of ours, so only what
    // we publish is listened to for this.
    addEventListener("online", this.moved, { signal: this.ended.signal });
    if (own) void this.publish();
    void this.listen();
  }

  get sending(): boolean {
    return this.out?.up ?? false;
  }

  /** From the caller, that is. */
  get receiving(): boolean {
    return [...this.others.values()].some((one) => one.target?.role === "guest" && one.link?.up);
  }

  /** `over`: the session has ended, and with it all that we hold of it. */
  close(over = false): void {
    this.ended.abort();
    this.following.abort();
    this.better?.stop.abort();
    this.out?.close(over);
    for (const one of this.others.values()) one.link?.close(over);
    this.tell.pictures([]);
  }

  /**
   * For the record: our microphone is off, or on again. Only we know: a muted one sends packets, too. The last word is said until
   * it is heard, and again of whatever we publish next; with the reason that the officer gave, if any.
   */
  async told(sound: boolean, reason = ""): Promise<void> {
    [this.sound, this.reason] = [sound, reason];
    const mine = ++this.said;
    const headers = { "content-type": "application/json", ...bearing(this.way) };
    const body = JSON.stringify(sound || !reason ? { sound } : { sound, reason });
    for (let tries = 0; !this.over && mine === this.said; tries++) {
      let status = 0;
      try {
        const url = this.way.whipUrl.replace(/whip$/, "state");
        [{ status }] = await ask(url, { method: "POST", headers, body, credentials: "omit" }, ANSWER_WITHIN);
        if (status < 500 && status !== 429) return;
      } catch {
        // Said again.
      }
      await sleep(pause(tries, status), this.ended.signal);
    }
  }

  async stats(): Promise<CallStats> {
    const found = { framesEncoded: 0, framesDecoded: 0, audioSent: 0, audioReceived: 0, connected: this.sending };
    for (const link of [this.out, ...[...this.others.values()].map((one) => one.link)]) {
      if (!link || link.closed) continue;
      for (const report of (await link.pc.getStats()).values()) {
        const video = report.kind === "video";
        if (report.type === "outbound-rtp" && video) found.framesEncoded += report.framesEncoded ?? 0;
        if (report.type === "outbound-rtp" && !video) found.audioSent += report.packetsSent ?? 0;
        if (report.type === "inbound-rtp" && video) found.framesDecoded += report.framesDecoded ?? 0;
        if (report.type === "inbound-rtp" && !video) found.audioReceived += report.packetsReceived ?? 0;
      }
    }
    return found;
  }

  private get over(): boolean {
    return this.ended.signal.aborted;
  }

  /**
   * Another instance may have taken the call over and know nothing of us, while all that we send still gets to the one before. So
   * what we publish and hear nothing of is made anew; later each time, if that is in vain.
   */
  private readonly changed = () => {
    const link = this.out;
    if (this.known || !link?.up) {
      clearTimeout(this.doubt);
      this.doubt = undefined;
    } else {
      this.doubt ??= setTimeout(() => {
        this.doubt = undefined;
        this.patience *= 2;
        link.lose();
      }, this.patience);
    }
    this.tell.changed();
  };

  private readonly moved = () => {
    void this.out?.restart();
    for (const one of this.others.values()) void one.link?.restart();
    this.following.abort();
  };

  private async publish(): Promise<void> {
    for (let tries = 0; !this.over; tries++) {
      let wait = 0;
      const link = new Link(this.way, {
        changed: this.changed,
        gone: () => void this.publish(),
        silent: this.moved,
      });
      for (const track of this.own!.getTracks()) {
        const sendEncodings = track.kind === "video" ? [{ maxBitrate: 1_500_000 }] : [{}];
        link.pc.addTransceiver(track, { direction: "sendonly", streams: [this.own!], sendEncodings });
      }
      this.out = link;
      try {
        await link.open(this.way.whipUrl);
        if (this.over) link.close();
        else if (!this.sound) void this.told(false, this.reason);
        return;
      } catch (error) {
        if (isFinal(error)) return;
        wait = pauseAfter(error, tries);
      }
      await sleep(wait, this.ended.signal);
    }
  }

  private readonly pictures = () => {
    if (this.over) return;
    const all = [...this.others].map(([participantId, one]) => ({ participantId, role: one.target?.role ?? "", stream: one.stream }));
    this.tell.pictures(all);
  };

  private heard(publishing: Publishing[], held: string[]): void {
    const theirs = publishing.filter((one) => one.participant_id !== this.way.participantId);
    this.known = theirs.length < publishing.length;
    if (this.known) this.patience = UNKNOWN_FOR;
    // The caller's page must not say what it is for, so neither does this stream: "guest" is the caller.
    const callers = theirs.filter((one) => one.role === "guest");
    this.held = callers.some((one) => held.includes(one.participant_id));
    this.silent = callers.some((one) => one.sound === false);
    for (const [id, one] of this.others) {
      if (theirs.some(({ participant_id }) => participant_id === id)) continue;
      one.stop();
      this.others.delete(id);
    }
    for (const target of theirs) {
      const known = this.others.get(target.participant_id);
      const one = known ?? new Watch(this.way, target, this.ended.signal, { changed: this.changed, pictures: this.pictures });
      one.target = target;
      this.others.set(target.participant_id, one);
      void one.run();
    }
    this.pictures();
    this.changed();
  }

  /**
   * Whoever tells of the session has lost sight of it, and perhaps another has it by now. They may still hear the caller ask for help, so
   * they are listened to until somebody knows more.
   */
  private async seek(mine: AbortController): Promise<void> {
    for (let tries = 0; !this.over && this.following === mine; tries++) {
      const stop = new AbortController();
      const alarm = setTimeout(() => stop.abort(), SILENCE);
      const found = await begin(this.way.eventsUrl, this.way, stop.signal).then(
        (stream) => ({ stop, stream }),
        (error: unknown) => (isFinal(error) ? "over" : undefined),
      );
      clearTimeout(alarm);
      if (found && !this.over && this.following === mine) {
        if (found !== "over") this.better = found;
        mine.abort();
        return this.tell.moved();
      }
      stop.abort();
      await sleep(pause(tries, 503), this.ended.signal);
    }
  }

  private async listen(): Promise<void> {
    for (let tries = 0; !this.over; tries++) {
      let wait = pause(tries);
      try {
        const found = this.better;
        this.better = undefined;
        const stop = (this.following = found?.stop ?? new AbortController());
        let sought: Promise<void> | undefined;
        for await (const { event, data } of follow(found?.stream ?? (await begin(this.way.eventsUrl, this.way, stop.signal)))) {
          tries = 0;
          if (event === "again") sought ??= this.seek(stop);
          if (event === "cover") this.tell.covered((JSON.parse(data) as { covered: boolean }).covered);
          if (event === "call") {
            const { how, at } = JSON.parse(data) as { how: "word" | "corner"; at: string };
            this.tell.asked(how, new Date(at));
          }
          if (event !== "session") continue;
          const session = JSON.parse(data) as { state: string; publishing: Publishing[]; held: string[] };
          if (session.state === "ended") {
            this.close(true);
            return this.tell.ended();
          }
          this.heard(session.publishing, session.held);
        }
      } catch (error) {
        // Cut off: asked again.
        wait = pauseAfter(error, tries);
      }
      this.known = true;
      this.changed();
      if (!this.better) await sleep(wait, this.ended.signal);
    }
  }
}

/** The token is no good any more, or the session is over. */
function isFinal(error: unknown): boolean {
  return error instanceof Refused && (error.status === 401 || error.status === 410);
}

function pauseAfter(error: unknown, tries: number): number {
  return pause(tries, error instanceof Refused ? error.status : 0);
}

/** Camera and microphone; one without the other, if that is all there is. */
export async function openCamera(): Promise<MediaStream> {
  const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  const audio = { echoCancellation: true, noiseSuppression: true };
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio });
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "NotFoundError") throw error;
    return navigator.mediaDevices.getUserMedia({ video: false, audio });
  }
}
