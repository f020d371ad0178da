import { randomFillSync } from 'node:crypto';

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
const NO_TRACE = '0'.repeat(TRACE_DIGITS);
const NO_SPAN = '0'.repeat(SPAN_DIGITS);
/** So much randomness is asked for, and written in digits, at once: asking costs more than the octets. */
const POOL_BYTES = 4_096;

/** Random ids for traces and spans, in lower-case hexadecimal digits; never all zero, which would mean that there is none. */
export class TraceIds {
  readonly #fill: (pool: Buffer) => void;
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #digits = '';
  #used = 0;

  constructor(fill: (pool: Buffer) => void = (pool) => void randomFillSync(pool)) {
    this.#fill = fill;
  }

  /** 32 digits. */
  traceId(): string {
    for (;;) {
      const id = this.#take(TRACE_DIGITS);
      if (id !== NO_TRACE) return id;
    }
  }

  /** 16 digits. */
  spanId(): string {
    for (;;) {
      const id = this.#take(SPAN_DIGITS);
      if (id !== NO_SPAN) return id;
    }
  }

  #take(count: number): string {
    if (this.#used + count > this.#digits.length) {
      this.#fill(this.#pool);
      this.#digits = this.#pool.toString('hex');
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += count;
    return this.#digits.slice(start, start + count);
  }
}
