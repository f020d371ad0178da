/** Who does not answer: nobody at the address, or an app whose host still takes connections. */
export type Silence = 'host' | 'app';

/**
 * `connect` fails so where no host answers, or no way leads there. Not ECONNREFUSED: a host says that, and has by then told
 * of all connections that it does not know any more.
 */
const NO_HOST = /^connect (?:timeout|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH)/;

/** Whether a cause, of a check or of a request, is that no connection could be made. */
export function isUnreachable(cause: string): boolean {
  return cause.startsWith('connect ');
}

/** @param cause - of a failed check. @returns null: somebody has answered, whatever the answer was. */
export function silenceOf(cause: string): Silence | null {
  if (NO_HOST.test(cause)) return 'host';
  return cause.startsWith('timeout ') ? 'app' : null;
}
