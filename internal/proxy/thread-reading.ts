import { readLoop } from '../../pkg/metrics/loop-reading.ts';
import type { ClientTraffic } from './client-sockets.ts';

/** How a thread that takes requests is doing. */
export interface ThreadReading {
  /** 0: the main thread. */
  readonly thread: number;
  /** Null: it did not answer in time. */
  readonly clients: ClientTraffic | null;
  /** How long it took to answer: what its event loop had to do first; in milliseconds, and at least that when it did not. */
  readonly delayMs: number;
  /** For how long its event loop has done something so far, in milliseconds. */
  readonly busyMs: number;
}

/** Of the thread that asks. @param clients - of the engine in it. */
export async function ownReading(clients: ClientTraffic): Promise<ThreadReading> {
  return { thread: 0, clients, ...(await readLoop()) };
}
