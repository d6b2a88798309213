// The sound of an offer: two soft tones, again until it is answered. Browsers let a page make sound only once somebody has pressed
// something on it, so it is made ready with the first thing that is.

const EVERY = 2500;
let context: AudioContext | undefined;
let ringing: ReturnType<typeof setInterval> | undefined;

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
}

/** Rings until it is hushed. */
export function ring(): void {
  if (ringing !== undefined) return;
  chime();
  ringing = setInterval(chime, EVERY);
}

export function hush(): void {
  clearInterval(ringing);
  ringing = undefined;
}

export function chime(): void {
  if (!context || !isReady()) return;
  for (const [hertz, after] of [[659, 0], [880, 0.18]] as const) {
    const at = context.currentTime + after;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = hertz;
    // Swells and dies away: a click would be heard in every headset of the room.
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.25, at + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.55);
  }
}
