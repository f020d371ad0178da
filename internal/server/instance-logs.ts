import { LOG_STREAMS, type LogLine, type LogStream } from '../model/log-line.ts';
import { LogReader } from './log-reader.ts';
import { outputPaths } from './log-tail.ts';

export interface LogQuery {
  /** Undefined: both, of each of them so many lines. */
  readonly stream?: LogStream | undefined;
  readonly lines: number;
}

/** What an instance has written: the last lines, and on request all that follow. */
export class InstanceLogs {
  readonly #readers: readonly { readonly stream: LogStream; readonly reader: LogReader }[];
  readonly #lines: number;

  constructor(logDir: string, id: string, { stream, lines }: LogQuery) {
    const paths = outputPaths(logDir, id);
    this.#lines = lines;
    this.#readers = LOG_STREAMS.flatMap((name, index) =>
      stream === undefined || stream === name ? [{ stream: name, reader: new LogReader(paths[index] ?? '') }] : [],
    );
  }

  /** Those of standard output, then those of standard error. */
  async last(): Promise<LogLine[]> {
    const all = this.#readers.map(async ({ stream, reader }) =>
      (await reader.last(this.#lines)).map((text) => ({ stream, text })),
    );
    return (await Promise.all(all)).flat();
  }

  /** What is written after `last` has looked, until the signal. @param onLines - awaited before more is read. */
  async follow(onLines: (lines: readonly LogLine[]) => Promise<void>, signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.#readers.map(async ({ stream, reader }) => {
        for (let isLast = false; !isLast; ) {
          isLast = signal.aborted;
          const lines = await reader.next(signal);
          if (lines.length > 0) await onLines(lines.map((text) => ({ stream, text })));
        }
      }),
    );
  }
}
