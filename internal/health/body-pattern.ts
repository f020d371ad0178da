import { type Context, createContext, Script } from 'node:vm';

/** How long a pattern may take over one body, in milliseconds: far more than any that ends, even when others have the processor for a while. */
const LIMIT_MS = 250;
const TIMED_OUT = 'ERR_SCRIPT_EXECUTION_TIMEOUT';
const TEST = new Script("new RegExp(source, 'u').test(text)");
/** Made when it is first needed, and empty between two uses. */
let sandbox: Context | undefined;

/**
 * Whether a regular expression of the configuration matches somewhere in a text. Some take time without end over a text
 * that almost matches, and no rule tells which; so each match has a limit, after which the engine is stopped. (`vm` is
 * here for that limit, not for safety.)
 * @returns null when it takes longer than it may.
 * @throws {SyntaxError} when `source` is no regular expression.
 */
export function matchesPattern(source: string, text: string): boolean | null {
  sandbox ??= createContext({});
  Object.assign(sandbox, { source, text });
  try {
    return TEST.runInContext(sandbox, { timeout: LIMIT_MS }) === true;
  } catch (error) {
    if (isTimeout(error)) return null;
    throw error;
  } finally {
    Object.assign(sandbox, { source: '', text: '' });
  }
}

/** The error is of the sandbox, whose `Error` is another one than ours. */
function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === TIMED_OUT;
}
