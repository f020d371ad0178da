/** How the event loop of a thread is doing. */
export interface LoopReading {
  /** How long it took to get to what was put off, in milliseconds: it had that much else to do. */
  readonly delayMs: number;
  /** For how long it has done something so far, in milliseconds. */
  readonly busyMs: number;
}

/** Of this thread, as a sample; nothing wakes up to measure in between. */
export function readLoop(): Promise<LoopReading> {
  const askedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<LoopReading>();
  setImmediate(() => {
    resolve({ delayMs: performance.now() - askedAt, busyMs: performance.eventLoopUtilization().active });
  });
  return promise;
}
