import { randomBytes } from 'node:crypto';

const PREFIX_BYTES = 9;

/**
 * Ids that no two requests share, whichever thread, host or run made them: a random prefix of the maker, and a count.
 * They are no secret, so a random number for each would be paid for nothing.
 */
export function requestIds(): () => string {
  const prefix = randomBytes(PREFIX_BYTES).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
