import type { Finding } from '../explain/explainer.ts';
import { type Search, searchOf } from '../explain/search.ts';

/** How long threads may take to answer, in milliseconds: one that hangs never does. */
const PATIENCE_MS = 1_000;

interface Question {
  readonly missing: Set<number>;
  readonly findings: Map<number, Finding>;
  readonly answered: () => void;
}

/** Asks all threads for what they know of a request. */
export class Inquiry {
  readonly #questions = new Map<number, Question>();
  readonly #patienceMs: number;
  #next = 1;

  constructor(patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs;
  }

  /**
   * Resolves when every thread has answered, or has had its time.
   * @param send - asks them, under the number of the question.
   */
  async ask(threads: Iterable<number>, send: (question: number) => void): Promise<Search> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const number = this.#next;
    const question: Question = { missing: new Set(threads), findings: new Map(), answered: resolve };
    this.#next += 1;
    this.#questions.set(number, question);
    if (question.missing.size === 0) resolve();
    const timer = setTimeout(resolve, this.#patienceMs);
    send(number);
    await promise;
    clearTimeout(timer);
    this.#questions.delete(number);
    return searchOf(question.findings, [...question.missing]);
  }

  answered(number: number, thread: number, finding: Finding): void {
    const question = this.#questions.get(number);
    if (question === undefined || !question.missing.delete(thread)) return;
    question.findings.set(thread, finding);
    if (question.missing.size === 0) question.answered();
  }
}
