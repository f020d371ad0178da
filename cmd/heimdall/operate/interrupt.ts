import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';

/**
 * Waits for something that Ctrl-C ends: the wait, not what is waited for.
 * @param note - says what goes on without us, and how to look after it; asked when it comes to that.
 * @throws {CommandError} after Ctrl-C, once `wait` has returned or thrown.
 */
export async function untilInterrupted<T>(
  wait: (signal: AbortSignal) => Promise<T>,
  note: () => string = () => '',
): Promise<T> {
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    const result = await wait(interrupt.signal);
    if (!interrupt.signal.aborted) return result;
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
  throw new CommandError(EXIT.interrupted, note());
}
