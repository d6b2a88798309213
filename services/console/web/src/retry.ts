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

/** However slow a network is that carries a call, milliseconds. */
export const ANSWER_WITHIN = 8000;

/** An answer and what it says. A network may swallow either: then there is none, after `within` milliseconds. */
export async function ask(url: string, request: RequestInit, within: number, stop = new AbortController()): Promise<[Response, string]> {
  const alarm = setTimeout(() => stop.abort(), within);
  try {
    const answer = await fetch(url, { ...request, signal: stop.signal });
    return [answer, await answer.text()];
  } finally {
    clearTimeout(alarm);
  }
}

/** An answer that isn't the wanted one. */
export class Refused extends Error {
  constructor(readonly status: number) {
    super(`refused with ${status}`);
  }
}

/**
 * The pause before the nth try again: 0.25 s, doubling to 5 s. Where a gateway finds nobody only to 0.8 s: another instance takes
 * the call over soon, and is found by asking.
 */
export function pause(tries: number, status = 0): number {
  return Math.min(status >= 502 && status <= 504 ? 800 : 5000, 250 * 2 ** Math.min(tries, 10));
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
