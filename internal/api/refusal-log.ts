import type { Request } from 'express';
import type { Logger } from '../../pkg/logger/logger.ts';
import { printable } from '../../pkg/http-guard/field-text.ts';

/** Between two lines, in milliseconds: whoever tries doors must not fill the disk. */
const QUIET_MS = 10_000;

/** Tells of requests that were let nowhere near the endpoints; of many in a row the first, and how many there were. */
export class RefusalLog {
  readonly #log: Logger;
  readonly #clock: () => number;
  #quietUntil = Number.NEGATIVE_INFINITY;
  #untold = 0;

  /** @param clock - milliseconds. */
  constructor(log: Logger, clock: () => number = () => performance.now()) {
    this.#log = log;
    this.#clock = clock;
  }

  tell({ method, path, socket }: Pick<Request, 'method' | 'path' | 'socket'>, reason: string): void {
    const now = this.#clock();
    if (now < this.#quietUntil) {
      this.#untold += 1;
      return;
    }
    const more = this.#untold === 0 ? {} : { alsoRefused: this.#untold };
    this.#log.warn(
      { address: socket.remoteAddress, method, path: printable(path), reason, ...more },
      'a caller was refused',
    );
    this.#untold = 0;
    this.#quietUntil = now + QUIET_MS;
  }
}
