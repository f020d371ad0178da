/** Whole lines on their way to the output. */
export interface LineBatch {
  /** Its memory goes back to the collector. Null: there are no lines, only a number that were dropped. */
  readonly octets: Uint8Array<SharedArrayBuffer> | null;
  readonly lines: number;
  /** Lines that there was no room for, since the batch before. */
  readonly dropped: number;
}

/** Octets of a batch: each costs two wake-ups and as much as some thirty requests. */
const BATCH = 512 * 1024;
/** Batches that may be under way; while they are, lines are dropped. */
const MOST_UNDER_WAY = 4;
/** So many characters of lines are put together before they are written into the memory of a batch: one write for each line costs more. */
const PIECE = 8 * 1024;
/** A batch is sent on when its first line is as old as this, in milliseconds, if it is not full before. */
const DELAY_MS = 100;

/**
 * Gathers the lines of one thread and sends them on in batches. What the output does not take in time is dropped and counted: requests
 * never wait for it, and it takes no more than about two megabytes.
 */
export class LineCollector {
  readonly #send: (batch: LineBatch) => void;
  /** Null: the next line begins one. */
  #batch: Buffer<SharedArrayBuffer> | null = null;
  /** Octets of it that are lines. */
  #length = 0;
  /** Lines that are not in it yet, and have room there. */
  #text = '';
  #lines = 0;
  #dropped = 0;
  /** Memory that came back. */
  readonly #spare: Buffer<SharedArrayBuffer>[] = [];
  #underWay = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param send - gives the memory of the batch back by `returned`, once its octets are with the system or given up. */
  constructor(send: (batch: LineBatch) => void) {
    this.#send = send;
  }

  /** @param line - of ASCII, with its end. */
  add(line: string): void {
    const { length } = line;
    if (this.#batch !== null && this.#length + this.#text.length + length > this.#batch.length) this.flush();
    this.#batch ??= this.#begin(length);
    if (this.#batch === null) {
      this.#dropped += 1;
    } else {
      this.#text += line;
      this.#lines += 1;
      if (this.#text.length >= PIECE) this.#store();
    }
    this.#timer ??= setTimeout(() => this.flush(), DELAY_MS).unref();
  }

  /** Sends on what there is. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#store();
    const octets = this.#batch?.subarray(0, this.#length) ?? null;
    const [lines, dropped] = [this.#lines, this.#dropped];
    if (octets === null && dropped === 0) return;
    this.#batch = null;
    this.#length = 0;
    this.#lines = 0;
    this.#dropped = 0;
    if (octets !== null) this.#underWay += 1;
    this.#send({ octets, lines, dropped });
  }

  /** A batch is under way no more. */
  returned(memory: SharedArrayBuffer): void {
    this.#underWay -= 1;
    if (memory.byteLength === BATCH) this.#spare.push(Buffer.from(memory));
  }

  #store(): void {
    this.#length += this.#batch?.write(this.#text, this.#length, 'latin1') ?? 0;
    this.#text = '';
  }

  /** @param length - of the first line: one that is longer than a batch gets one of its own. */
  #begin(length: number): Buffer<SharedArrayBuffer> | null {
    if (this.#underWay >= MOST_UNDER_WAY) return null;
    if (length > BATCH) return Buffer.from(new SharedArrayBuffer(length));
    return this.#spare.pop() ?? Buffer.from(new SharedArrayBuffer(BATCH));
  }
}
