import { randomFillSync } from 'node:crypto';

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
/** So much randomness is asked for at once: asking costs more than the octets. */
const POOL_BYTES = 4_096;

/** Random ids for traces and spans, in lower-case hexadecimal digits; never all zero, which would mean that there is none. */
export class TraceIds {
  readonly #pool = Buffer.alloc(POOL_BYTES);
  readonly #fill: (pool: Buffer) => void;
  #used = POOL_BYTES;

  constructor(fill: (pool: Buffer) => void = (pool) => void randomFillSync(pool)) {
    this.#fill = fill;
  }

  /** 32 digits. */
  traceId(): string {
    return this.#make(TRACE_BYTES);
  }

  /** 16 digits. */
  spanId(): string {
    return this.#make(SPAN_BYTES);
  }

  #make(bytes: number): string {
    for (;;) {
      if (this.#used + bytes > POOL_BYTES) {
        this.#fill(this.#pool);
        this.#used = 0;
      }
      const start = this.#used;
      this.#used += bytes;
      const id = this.#pool.toString('hex', start, start + bytes);
      if (!/^0+$/.test(id)) return id;
    }
  }
}
