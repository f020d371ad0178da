import type { Clock } from '../../pkg/clock/clock.ts';
import { messageOf } from '../model/errors.ts';
import type { ProbeResult } from './probe.ts';

export interface ReadinessOptions {
  /** One try; it should end early when the signal is aborted. */
  readonly probe: (signal: AbortSignal) => Promise<ProbeResult>;
  /** From the end of one probe to the start of the next, in milliseconds. */
  readonly intervalMs: number;
  /** From the call to the first pass, in milliseconds. */
  readonly deadlineMs: number;
  /** Ends the wait early, for instance because the process has exited. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export type Readiness =
  | { readonly ready: true; readonly result: ProbeResult }
  /** `lastCause` is that of the last finished probe. */
  | { readonly ready: false; readonly lastCause: string };

/**
 * Probes at once and then again and again until a probe passes, the deadline is over, or the signal is aborted.
 * Never rejects: a probe that throws has failed. No timer and no listener remain.
 */
export async function waitUntilReady({
  probe,
  intervalMs,
  deadlineMs,
  signal,
  clock,
}: ReadinessOptions): Promise<Readiness> {
  const ending = new AbortController();
  const { promise: ended, resolve: markEnded } = Promise.withResolvers<null>();
  const end = () => {
    ending.abort();
    markEnded(null);
  };
  const cancelDeadline = clock.after(deadlineMs, end);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();

  let lastCause = 'no probe has finished';
  try {
    while (!ending.signal.aborted) {
      const result = await Promise.race([attempt(probe, ending.signal), ended]);
      if (result?.passed) return { ready: true, result };
      // What ended by our own abort says nothing about the instance.
      if (result && !ending.signal.aborted) lastCause = result.cause;
      await pause(clock, intervalMs, ended);
    }
    return { ready: false, lastCause };
  } finally {
    cancelDeadline();
    signal.removeEventListener('abort', end);
  }
}

async function attempt(probe: ReadinessOptions['probe'], signal: AbortSignal): Promise<ProbeResult> {
  try {
    return await probe(signal);
  } catch (error) {
    return { passed: false, cause: messageOf(error), elapsedMs: 0 };
  }
}

async function pause(clock: Clock, delayMs: number, ended: Promise<null>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(delayMs, resolve);
  await Promise.race([promise, ended]);
  cancel();
}
