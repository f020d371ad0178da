/** How long threads may take to answer, in milliseconds: one that hangs never does. */
const PATIENCE_MS = 1_000;

interface Question<T> {
  readonly missing: Set<number>;
  readonly answers: Map<number, T>;
  readonly answered: () => void;
}

/** What the threads have said. */
export interface Answers<T> {
  readonly byThread: ReadonlyMap<number, T>;
  /** Numbers of threads that did not answer in time. */
  readonly silent: readonly number[];
}

/** Asks all threads for what they know. */
export class Inquiry<T> {
  readonly #questions = new Map<number, Question<T>>();
  readonly #patienceMs: number;
  #next = 1;

  constructor(patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs;
  }

  /**
   * Resolves when every thread has answered, or has had its time.
   * @param send - asks them, under the number of the question.
   */
  async ask(threads: Iterable<number>, send: (question: number) => void): Promise<Answers<T>> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const number = this.#next;
    const question: Question<T> = { missing: new Set(threads), answers: new Map(), answered: resolve };
    this.#next += 1;
    this.#questions.set(number, question);
    if (question.missing.size === 0) resolve();
    const timer = setTimeout(resolve, this.#patienceMs);
    send(number);
    await promise;
    clearTimeout(timer);
    this.#questions.delete(number);
    return { byThread: question.answers, silent: [...question.missing] };
  }

  answered(number: number, thread: number, answer: T): void {
    const question = this.#questions.get(number);
    if (question === undefined || !question.missing.delete(thread)) return;
    question.answers.set(thread, answer);
    if (question.missing.size === 0) question.answered();
  }
}
