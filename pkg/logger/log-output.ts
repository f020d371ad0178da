import { type DestinationStream, pino } from 'pino';

/** `PIPE_BUF` of pipe(7): a write of at most so many octets goes into a pipe in one piece, whoever else writes to it. */
const ATOMIC = 4_096;
/** So many octets wait at most for a reader that is slow, or for room on the disk. */
const MOST_WAITING = 1 << 20;
/** There may be room again: in the pipe (EAGAIN), on the disk, or in what a file or its owner may have of it. */
const FULL = new Set(['EAGAIN', 'ENOSPC', 'EDQUOT', 'EFBIG']);
/** Between two tries while it is full, in milliseconds. */
const FULL_MS = 50;
/** How long the end of the process waits for a reader that takes nothing, in milliseconds. */
const PATIENCE_MS = 1_000;

type Output = ReturnType<typeof pino.destination>;

/**
 * Lines into a file, a terminal or a pipe, without ever waiting for who reads that, which may be nobody, and without failing where a
 * disk is full. What fits is with the system when `write` returns, so that a crash loses nothing; the rest waits in memory, up to a
 * mebibyte, and is written when there is room, at the latest at the end of the process. What is more than that is dropped, and counted.
 */
export class LogOutput implements DestinationStream {
  readonly #output: Output;
  readonly #onRecovered: (dropped: number) => void;
  #dropped = 0;
  /** Set while lines wait. */
  #retry: NodeJS.Timeout | null = null;
  /** Nobody can read any more. */
  #gone = false;
  /** At the end of the process: what was left to write at the last progress, and when that was. */
  #end: { left: number; at: number } | null = null;

  /**
   * @param fd - of a pipe or socket in non-blocking mode.
   * @param onRecovered - lines get through again after some were dropped, or the process ends; may write one.
   */
  constructor(fd: number, onRecovered: (dropped: number) => void) {
    this.#onRecovered = onRecovered;
    const retryEAGAIN = (_error: Error, writing: number, waiting: number) => this.#mayWait(writing + waiting);
    this.#output = pino.destination({ fd, sync: true, maxWrite: ATOMIC, maxLength: MOST_WAITING, retryEAGAIN });
    this.#output.on('error', (error: Error) => this.#failed(error));
    this.#output.on('drop', () => {
      this.#dropped += 1;
    });
  }

  write(lines: string): void {
    if (!this.#gone) this.#output.write(lines);
  }

  #failed(error: Error): void {
    if ('code' in error && FULL.has(String(error.code))) {
      this.#retry ??= this.#tryAgain();
      return;
    }
    this.#gone = true; // EPIPE, as a rule; there is no other place to say so
    this.#stopTrying();
  }

  #tryAgain(): NodeJS.Timeout {
    process.on('exit', this.#finish);
    return setInterval(() => {
      let isFull = false;
      const full = () => {
        isFull = true;
      };
      this.#output.on('error', full);
      this.#output.write(''); // with it goes what waits
      this.#output.off('error', full);
      if (!isFull) this.#recovered();
    }, FULL_MS).unref();
  }

  #recovered(): void {
    this.#stopTrying();
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#onRecovered(dropped);
  }

  #stopTrying(): void {
    if (this.#retry !== null) clearInterval(this.#retry);
    this.#retry = null;
    process.off('exit', this.#finish);
  }

  readonly #finish = (): void => {
    this.#end = { left: Number.POSITIVE_INFINITY, at: performance.now() };
    try {
      this.#output.flushSync();
      this.#recovered();
    } catch {
      // nobody has read for too long, or can any more
    }
  };

  /** Only at the end of the process, and while somebody reads. @param left - octets. */
  #mayWait(left: number): boolean {
    if (this.#end === null) return false;
    if (left < this.#end.left) this.#end = { left, at: performance.now() };
    return performance.now() - this.#end.at < PATIENCE_MS;
  }
}
