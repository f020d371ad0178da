import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { LogLine } from '../../../internal/model/log-line.ts';
import { nthColour, type Paint } from '../terminal/paint.ts';
import { printable } from '../../../internal/model/printable.ts';
import { printableWithColours } from '../terminal/printable.ts';

export interface PrinterOptions {
  /** One JSON object on each line. */
  readonly json: boolean;
  /** Each line begins with the instance that wrote it. */
  readonly isPrefixed: boolean;
  /** Whether it is a terminal: what could harm that is taken out, colours stay where they are wanted. */
  readonly terminal: 'none' | 'plain' | 'colours';
  readonly paint: Paint;
}

/** Prints lines of several instances so that one can tell them apart: by a name, by a colour, and `!` for standard error. */
export class LogPrinter {
  readonly #output: Writable;
  readonly #options: PrinterOptions;
  readonly #known: string[] = [];

  constructor(output: Writable, options: PrinterOptions) {
    this.#output = output;
    this.#options = options;
  }

  /** Makes room for the name, before lines of it come. */
  expect(instance: string): void {
    if (!this.#known.includes(instance)) this.#known.push(instance);
  }

  /** Resolves when the reader can take more. */
  async print(instance: string, line: LogLine): Promise<void> {
    this.expect(instance);
    if (!this.#output.write(`${this.#textOf(instance, line)}\n`)) await once(this.#output, 'drain');
  }

  #textOf(instance: string, { stream, text }: LogLine): string {
    const { json, isPrefixed, terminal, paint } = this.#options;
    if (json) return JSON.stringify({ instance, stream, text });
    const clean = terminal === 'none' ? text : terminal === 'colours' ? printableWithColours(text) : printable(text);
    if (!isPrefixed) return clean;
    const width = Math.max(...this.#known.map(({ length }) => length));
    const colour = nthColour(this.#known.indexOf(instance));
    const sign = stream === 'err' ? paint('red', '!') : paint(colour, '|');
    return `${paint(colour, instance.padEnd(width))} ${sign} ${clean}`;
  }
}
