import { setTimeout as sleep } from 'node:timers/promises';

/** What is asked is mostly a process that answers over HTTP: asking is work for both, while others start. */
const POLL_MS = 50;

/** Asks until the answer is truthy. What throws has not answered yet; the last error goes with the one at the deadline. */
export async function eventually<T>(
  what: string | (() => string),
  ask: () => Promise<T> | T,
  limitMs = 60_000,
): Promise<NonNullable<T>> {
  const end = performance.now() + limitMs;
  for (;;) {
    let cause: unknown;
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > end) {
      throw new Error(`still not after ${limitMs} ms: ${typeof what === 'string' ? what : what()}`, { cause });
    }
    await sleep(POLL_MS);
  }
}
