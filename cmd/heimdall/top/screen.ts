/** A page of its own, no cursor, no line breaks where a line is too long. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';

/** The whole terminal, on a page of its own. However this process ends, the terminal is as it was. */
export class Screen implements Disposable {
  readonly #output: NodeJS.WriteStream;
  readonly #input: NodeJS.ReadStream;
  readonly #leave = () => this.leave();
  #isOn = false;

  constructor(output: NodeJS.WriteStream, input: NodeJS.ReadStream) {
    this.#output = output;
    this.#input = input;
    process.on('exit', this.#leave);
    process.on('uncaughtExceptionMonitor', this.#leave); // before the error is printed
    this.enter();
  }

  /** Some terminals do not tell their size. */
  get columns(): number {
    return this.#output.columns > 0 ? this.#output.columns : 80;
  }

  get rows(): number {
    return this.#output.rows > 0 ? this.#output.rows : 24;
  }

  enter(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#output.write(ENTER);
    if (this.#input.isTTY) this.#input.setRawMode(true);
  }

  leave(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    if (this.#input.isTTY) this.#input.setRawMode(false);
    this.#output.write(LEAVE);
  }

  /** In one write, so that nothing flickers. */
  draw(lines: readonly string[]): void {
    if (this.#isOn) this.#output.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`);
  }

  [Symbol.dispose](): void {
    this.leave();
    process.off('exit', this.#leave).off('uncaughtExceptionMonitor', this.#leave);
  }
}
