import { randomBytes } from 'node:crypto';

const PREFIX_BYTES = 9;
const RADIX = 36;

/**
 * Ids that no two requests share, whichever thread, host or run made them: a random prefix of the maker, and a count.
 * They are no secret, so a random number for each would be paid for nothing.
 */
export class RequestIds {
  readonly #prefix = `${randomBytes(PREFIX_BYTES).toString('base64url')}-`;
  #count = 0;

  make(): string {
    this.#count += 1;
    return this.#prefix + this.#count.toString(RADIX);
  }

  /** Whether the id is one of those that were made here. */
  hasMade(id: string): boolean {
    if (!id.startsWith(this.#prefix)) return false;
    const text = id.slice(this.#prefix.length);
    const count = Number.parseInt(text, RADIX);
    return count >= 1 && count <= this.#count && count.toString(RADIX) === text;
  }
}
