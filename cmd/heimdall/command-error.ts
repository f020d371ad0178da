import { EXIT, type ExitCode } from './exit-codes.ts';

/** Ends a command: the message is one line for people, that says what was wrong, where, and what to do. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;
  /** What scripts can use beside the message, with `--json`. */
  readonly context: Readonly<Record<string, unknown>>;

  constructor(exitCode: ExitCode, message: string, context: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.exitCode = exitCode;
    this.context = context;
  }
}

/** Something on the command line is wrong; the message names it. */
export class UsageError extends CommandError {
  constructor(message: string) {
    super(EXIT.usage, message);
  }
}
