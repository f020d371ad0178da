import { ConfigError } from '../../internal/config/problem.ts';
import { HeimdallError } from '../../internal/model/errors.ts';
import { CommandError } from './command-error.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

/** What went wrong: for people in a few words, for scripts as one JSON object on one line. */
interface Failure {
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly context: Readonly<Record<string, unknown>>;
}

/** Says on standard error why a command failed. @returns the exit code. */
export function tellFailure(error: unknown, isJson: boolean): ExitCode {
  const { exitCode, message, context } = failureOf(error);
  const told = isJson ? JSON.stringify({ error: message, exitCode, ...context }) : `heimdall: ${message}`;
  process.stderr.write(`${told}\n`);
  return exitCode;
}

/** What people can act on needs no stack; what they cannot is a fault of ours. */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommandError) {
    const { exitCode, message, context } = error;
    return { exitCode, message, context };
  }
  if (error instanceof ConfigError)
    return { exitCode: EXIT.failed, message: error.message, context: { problems: error.problems } };
  if (error instanceof HeimdallError)
    return { exitCode: EXIT.failed, message: error.message, context: { code: error.code } };
  const isOfSystem = error instanceof Error && 'syscall' in error; // a file that cannot be read, a port in use
  const message =
    error instanceof Error ? (isOfSystem ? error.message : (error.stack ?? error.message)) : String(error);
  return { exitCode: EXIT.failed, message, context: {} };
}
