const REFRESH_MS = 500;

/** Where progress is told: standard error, so that standard output has results alone. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * Tells how far something is. On a terminal there is one line that is written again; elsewhere each line that differs from the one
 * before is written once.
 */
export class Progress implements Disposable {
  readonly #stream: ProgressStream | null;
  readonly #timer: NodeJS.Timeout | undefined;
  #line: (() => string) | null = null;
  #shown = '';

  /** @param stream - null: nobody is told, as with `--json`. */
  constructor(stream: ProgressStream | null) {
    this.#stream = stream;
    if (stream?.isTTY === true) this.#timer = setInterval(() => this.#show(), REFRESH_MS).unref();
  }

  /** What goes on now. @param now - asked again and again on a terminal, so that times and counts in it go on. */
  is(now: string | (() => string)): void {
    this.#line = typeof now === 'string' ? () => now : now;
    this.#show();
  }

  /** A line that stays, above the one that is written again. @param text - with its end of line. */
  note(text: string): void {
    if (this.#stream === null) return;
    this.#clear();
    this.#stream.write(text);
    if (this.#stream.isTTY === true) this.#show();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#clear();
    this.#line = null;
  }

  #show(): void {
    if (this.#stream === null || this.#line === null) return;
    const line = this.#line();
    if (this.#stream.isTTY !== true) {
      if (line !== this.#shown) this.#stream.write(`${line}\n`);
      this.#shown = line;
      return;
    }
    this.#stream.write(`\r\x1b[K${line.slice(0, (this.#stream.columns ?? 80) - 1)}`);
    this.#shown = line;
  }

  #clear(): void {
    if (this.#stream?.isTTY === true && this.#shown !== '') this.#stream.write('\r\x1b[K');
    if (this.#stream?.isTTY === true) this.#shown = '';
  }
}
