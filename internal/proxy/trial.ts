import { inWords } from '../health/outliers.ts';
import type { Observed } from './observations.ts';

/** So many answers, without an error between them, readmit an upstream. */
const ANSWERS = 3;

/** `again`: another request may try it out. */
type Verdict = 'wait' | 'again' | 'passed' | { readonly failed: string };

/** What becomes of an upstream that is tried out, one request at a time, from the end of its ejection to a verdict. */
export class Trial {
  readonly #before: Observed;
  /** When the request was taken that is out now, as far as we have seen; in milliseconds of the monotonic clock. */
  #takenAt: number | null = null;
  #answers = 0;

  constructor(before: Observed) {
    this.#before = before;
  }

  /**
   * @param left - how many requests may still be sent to it.
   * @param limitMs - how long one may wait for its answer.
   */
  follow(observed: Observed, left: number, now: number, limitMs: number): Verdict {
    const errors = observed.gatewayErrors - this.#before.gatewayErrors;
    if (errors > 0) return { failed: 'it failed a trial request' };
    const answers = observed.answers - this.#before.answers;
    if (answers >= ANSWERS) return 'passed';
    if (left > 0) return 'wait';
    const isAnswered = answers > this.#answers || observed.waiting === 0;
    this.#answers = answers;
    if (isAnswered) {
      this.#takenAt = null;
      return 'again';
    }
    this.#takenAt ??= now;
    if (now - this.#takenAt <= limitMs) return 'wait';
    return { failed: `it left a trial request without an answer for ${inWords(now - this.#takenAt)}` };
  }
}
