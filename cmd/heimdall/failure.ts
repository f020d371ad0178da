import { HeimdallApiError, HeimdallConnectionError } from '../../internal/client/errors.ts';
import { ConfigError } from '../../internal/config/problem.ts';
import { HeimdallError } from '../../internal/model/errors.ts';
import { CommandError } from './command-error.ts';
import { inCommandWords } from './command-words.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { printable } from '../../internal/model/printable.ts';

/** What went wrong: for people in a few words, for scripts as one JSON object on one line. */
interface Failure {
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly context: Readonly<Record<string, unknown>>;
}

/** Says on standard error why a command failed. @returns the exit code. */
export function tellFailure(error: unknown, isJson: boolean): ExitCode {
  const { exitCode, message, context } = failureOf(error);
  if (message === '' && !isJson) return exitCode;
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
  if (error instanceof HeimdallApiError) return refusal(error);
  if (error instanceof HeimdallConnectionError)
    return { exitCode: EXIT.unreachable, message: error.message, context: { url: error.url } };
  if (error instanceof ConfigError)
    return { exitCode: EXIT.failed, message: error.message, context: { problems: error.problems } };
  if (error instanceof HeimdallError)
    return { exitCode: EXIT.failed, message: error.message, context: { code: error.code } };
  const isOfSystem = error instanceof Error && 'syscall' in error; // a file that cannot be read, a port in use
  const message =
    error instanceof Error ? (isOfSystem ? error.message : (error.stack ?? error.message)) : String(error);
  return { exitCode: EXIT.failed, message, context: {} };
}

/** What the manager said; the output of an instance that did not get ready stands below. */
function refusal({ status, detail, logTail, problem }: HeimdallApiError): Failure {
  const advice = status === 401 ? ' Give it in HEIMDALL_TOKEN or with --token-file.' : '';
  const tail = logTail.map((line) => `\n  | ${printable(line)}`).join('');
  const message = `${printable(inCommandWords(detail))}${advice}${tail}`;
  return { exitCode: EXIT.failed, message, context: { problem } };
}
