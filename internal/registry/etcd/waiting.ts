import type { HeimdallError } from '../../model/errors.ts';

interface Waiter {
  readonly isDone: () => boolean;
  readonly settle: (error: HeimdallError | null) => void;
}

/** Those who wait until something holds. */
export class Waiting {
  readonly #waiters = new Set<Waiter>();

  /** @param late - what it rejects with after the time; milliseconds. */
  async until(isDone: () => boolean, timeoutMs: number, late: () => HeimdallError): Promise<void> {
    if (isDone()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => waiter.settle(late()), timeoutMs);
    const waiter: Waiter = {
      isDone,
      settle: (error) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        if (error === null) resolve();
        else reject(error);
      },
    };
    this.#waiters.add(waiter);
    await promise;
  }

  /** Something has changed. */
  look(): void {
    for (const waiter of this.#waiters) if (waiter.isDone()) waiter.settle(null);
  }

  /** Nothing will change any more. */
  fail(error: HeimdallError): void {
    for (const waiter of this.#waiters) waiter.settle(error);
  }
}
