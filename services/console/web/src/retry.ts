// Waiting, and trying again: never in a tight loop, never for ever longer.

export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}

/** The pause before the nth try again: 0.25 s, doubling to 5 s. */
export function pause(tries: number): number {
  return Math.min(5000, 250 * 2 ** Math.min(tries, 10));
}

/**
 * Keeps `run` running until the signal: when it ends or fails it is started again. `run` calls `well` once it has
 * something, and the pauses begin anew. `failed` says whether there is any use in going on.
 */
export async function keep(
  signal: AbortSignal,
  run: (well: () => void) => Promise<void>,
  failed: (error: unknown) => boolean = () => true,
): Promise<void> {
  let tries = 0;
  while (!signal.aborted) {
    try {
      await run(() => (tries = 0));
    } catch (error) {
      if (signal.aborted || !failed(error)) return;
    }
    await sleep(pause(tries++), signal);
  }
}
