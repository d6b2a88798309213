// Tells the console that a person is there: by what only a person does, and at most once a minute. What the page does by
// itself, its heart and its streams, is no sign of anybody. A call is: who listens to somebody may touch nothing for an
// hour, so the idle end never comes in a call.
const PAUSE_MS = 60_000;
const ACTS = ["keydown", "pointerdown", "pointermove", "wheel"] as const;

/** Answers with what tells it for any other reason. */
export function followActs(there: () => void, target: EventTarget = window, now: () => number = () => performance.now()): () => void {
  let told = -Infinity;
  const tell = () => {
    if (now() - told < PAUSE_MS) return;
    told = now();
    there();
  };
  for (const act of ACTS) target.addEventListener(act, tell, { passive: true, capture: true });
  return tell;
}
