import type { HealthCheck } from '../model/health-check.ts';
import { matchesPattern } from './body-pattern.ts';
import { EXCERPT_OCTETS, excerpt } from './excerpt.ts';

/** How much of a body is looked at, in octets. */
const BODY_LIMIT = 64 * 1024;

/** `detail` of a pass says what was seen (`200`), that of a failure is the whole cause. */
export interface Verdict {
  readonly passed: boolean;
  readonly detail: string;
}

interface BodyStart {
  readonly status: number;
  /** Whether the status passes. */
  readonly isExpected: boolean;
  /** Whether people can read the body as it comes. */
  readonly isLegible: boolean;
}

/** Judges an answer whose head is known by the first 64 KiB of its body. Text is latin1, one character per octet. */
export class BodyJudge {
  readonly #check: HealthCheck;
  readonly #start: BodyStart;
  readonly #wanted: string;
  #prefix = '';
  /** Its end, as long as the expected text may have begun in it. */
  #tail = '';
  /** The expected text was seen, or none is expected. */
  #found: boolean;

  constructor(check: HealthCheck, start: BodyStart) {
    this.#check = check;
    this.#start = start;
    this.#wanted = check.body === undefined ? '' : Buffer.from(check.body).toString('latin1');
    this.#found = check.body === undefined;
  }

  /** Whether the body matters to the verdict. */
  get isSearching(): boolean {
    const { body, bodyPattern } = this.#check;
    return this.#start.isExpected && (body !== undefined || bodyPattern !== undefined);
  }

  /** No more of the body is looked at. */
  get isFull(): boolean {
    return this.#prefix.length === BODY_LIMIT;
  }

  /** Whether more of the body would make the words of a failure longer. */
  get isCurious(): boolean {
    return this.#start.isLegible && this.#prefix.length <= EXCERPT_OCTETS;
  }

  read(text: string): void {
    const piece = text.slice(0, BODY_LIMIT - this.#prefix.length);
    this.#prefix += piece;
    if (this.#found) return;
    const searched = this.#tail + piece;
    this.#found = searched.includes(this.#wanted);
    this.#tail = searched.slice(Math.max(0, searched.length - this.#wanted.length + 1));
  }

  /**
   * @param isOver - no more of the body comes, or is looked at.
   * @returns null while more of the body may change the verdict.
   */
  verdict(isOver: boolean): Verdict | null {
    const { status, isExpected } = this.#start;
    if (!isExpected) return this.#failed(`status ${status}`);
    const { body, bodyPattern } = this.#check;
    if (bodyPattern !== undefined) return isOver ? this.#match(bodyPattern) : null;
    if (this.#found) return this.#passed();
    return isOver ? this.#failed(`body does not contain ${JSON.stringify(body)}`) : null;
  }

  /** Over the whole of what is looked at: an end (`$`) is known only then. */
  #match(pattern: string): Verdict {
    const { body } = this.#check;
    if (!this.#found) return this.#failed(`body does not contain ${JSON.stringify(body)}`);
    const matches = matchesPattern(pattern, Buffer.from(this.#prefix, 'latin1').toString());
    if (matches === null) return this.#failed(`bodyPattern ${pattern} takes too long`);
    return matches ? this.#passed() : this.#failed(`body does not match ${pattern}`);
  }

  #passed(): Verdict {
    return { passed: true, detail: String(this.#start.status) };
  }

  #failed(cause: string): Verdict {
    const begin = this.#start.isLegible ? excerpt(this.#prefix) : '';
    return { passed: false, detail: begin === '' ? cause : `${cause}: ${begin}` };
  }
}
