// The sound of an offer: two soft tones, again until it is answered; and that of a sergeant’s alert. Browsers let a page make sound only once somebody has pressed
// something on it, so it is made ready with the first thing that is. All of an offer's tones are set at once, on the sound's own clock:
// the timers of a page that isn't in front may be a minute late.

const EVERY = 2.5;
/** Longer than any offer stands, and than a call that is given to somebody should wait for them: five minutes. */
const TIMES = 120;
/** Hertz, and seconds from the beginning. An offer rises, an alert falls: nobody takes the one for the other. */
const OFFER = [[659, 0], [880, 0.18]] as const;
const ALERT = [[880, 0], [622, 0.2], [440, 0.4]] as const;
const ALERT_EVERY = 1.2;
let context: AudioContext | undefined;
let wanted = false;
let ringing: GainNode | undefined;
/** How often an alert is to be heard that couldn’t be. */
let missed = 0;

/** Whether a sound would be heard now. */
export function isReady(): boolean {
  return context?.state === "running";
}

/** To be called from what somebody has pressed. `changed` is told when a sound can be made, or no longer can. */
export async function makeReady(changed: () => void): Promise<void> {
  if (typeof AudioContext === "undefined") return;
  if (!context) {
    context = new AudioContext();
    context.addEventListener("statechange", changed);
  }
  if (context.state === "suspended") await context.resume().catch(() => {});
  begin();
  if (missed > 0 && isReady()) alarm(missed);
}

/** Rings until it is hushed. */
export function ring(): void {
  wanted = true;
  begin();
}

export function hush(): void {
  wanted = false;
  ringing?.disconnect();
  ringing = undefined;
}

/** Once, to be tried. */
export function chime(): void {
  if (context && isReady()) tones(context, context.destination, context.currentTime, OFFER);
}

/** So many times, and over by itself; where nothing can be heard yet, as soon as it can. */
export function alarm(times: number): void {
  if (!context || !isReady()) {
    missed = Math.max(missed, times);
    return;
  }
  missed = 0;
  for (let n = 0; n < times; n++) tones(context, context.destination, context.currentTime + n * ALERT_EVERY, ALERT);
}

function begin(): void {
  if (!wanted || ringing || !context || !isReady()) return;
  ringing = context.createGain();
  ringing.connect(context.destination);
  for (let n = 0; n < TIMES; n++) tones(context, ringing, context.currentTime + n * EVERY, OFFER);
}

function tones(context: AudioContext, to: AudioNode, from: number, of: typeof OFFER | typeof ALERT): void {
  for (const [hertz, after] of of) {
    const at = from + after;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = hertz;
    // Swells and dies away: a click would be heard in every headset of the room.
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.25, at + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
    tone.connect(volume).connect(to);
    tone.start(at);
    tone.stop(at + 0.55);
  }
}
