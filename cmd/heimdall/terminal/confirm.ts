import { createInterface } from 'node:readline/promises';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';

/** Where a person is asked. */
export interface Dialogue {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/**
 * Asks a person before something that loses requests or service. Where nobody can answer, as in a script, it goes ahead.
 * @param isSure - `--yes` was given.
 * @throws {CommandError} when the answer is no.
 */
export async function confirm(
  question: string,
  isSure: boolean,
  { input, output }: Dialogue = { input: process.stdin, output: process.stderr },
): Promise<void> {
  if (isSure || input.isTTY !== true || output.isTTY !== true) return;
  const lines = createInterface({ input, output });
  const interrupted = new AbortController();
  lines.on('SIGINT', () => interrupted.abort()).on('close', () => interrupted.abort());
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: interrupted.signal });
    if (/^y(es)?$/i.test(answer.trim())) return;
  } catch {
    output.write('\n');
    throw new CommandError(EXIT.interrupted, 'nothing was changed');
  } finally {
    lines.close();
  }
  throw new CommandError(EXIT.failed, 'nothing was changed');
}
