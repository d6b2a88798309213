// Tells the console that a person is there: by what only a person does, and at most once a minute. What the page does by
// itself, its heart and its streams, is no sign of anybody.
const PAUSE_MS = 60_000;
const ACTS = ["keydown", "pointerdown", "pointermove", "wheel"] as const;

export function followActs(there: () => void, target: EventTarget = window, now: () => number = () => performance.now()): void {
  let told = -Infinity;
  for (const act of ACTS) {
    target.addEventListener(
      act,
      () => {
        if (now() - told < PAUSE_MS) return;
        told = now();
        there();
      },
      { passive: true, capture: true },
    );
  }
}
