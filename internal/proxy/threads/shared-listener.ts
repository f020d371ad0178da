/** One address that all threads listen on: who of them has it open, and who has given it up. */
export class SharedListener {
  readonly host: string;
  readonly port: number;
  readonly #opening: RollCall;
  /** Null until it is closed. */
  #freeing: RollCall | null = null;
  #closing: RollCall | null = null;
  #showing: RollCall | null = null;
  readonly #sockets = new Map<number, readonly number[]>();
  /** Whether any thread has it open, or had. */
  #isOpen = false;

  /** @param threads - the numbers of all that shall listen, also of one that is being replaced. */
  constructor(host: string, port: number, threads: Iterable<number>) {
    this.host = host;
    this.port = port;
    this.#opening = new RollCall(threads);
  }

  /** Resolves when every thread listens that gets up at all; rejects when one of them cannot, or none gets up. */
  get opened(): Promise<void> {
    return this.#opening.complete;
  }

  /** Resolves at once, unless it is closed: then when no thread listens any more. */
  get freed(): Promise<void> {
    return this.#freeing?.complete ?? Promise.resolve();
  }

  get isClosing(): boolean {
    return this.#closing !== null;
  }

  /**
   * Resolves when the last of the threads has closed its last connection.
   * @param threads - those that were told to close.
   */
  async close(threads: readonly number[]): Promise<void> {
    this.#freeing = new RollCall(threads);
    this.#closing ??= new RollCall(threads);
    await this.#closing.complete;
  }

  listens(thread: number): void {
    this.#isOpen = true;
    this.#opening.answered(thread);
  }

  /** @returns whether somebody who waits for `opened` learns of it. */
  cannotListen(error: Error): boolean {
    return this.#opening.fail(error);
  }

  /** Resolves when each of the threads has shown the sockets that it listens on. */
  askForSockets(threads: readonly number[]): Promise<void> {
    this.#sockets.clear();
    this.#showing = new RollCall(threads);
    return this.#showing.complete;
  }

  showed(thread: number, sockets: readonly number[]): void {
    this.#sockets.set(thread, sockets);
    this.#showing?.answered(thread);
  }

  /** The descriptors of all sockets that were shown. */
  get sockets(): readonly number[] {
    return [...this.#sockets.values()].flat();
  }

  /** The thread takes no new connections. */
  gaveUp(thread: number): void {
    this.#freeing?.answered(thread);
  }

  /** The last connection of the thread is closed. */
  closed(thread: number): void {
    this.#closing?.answered(thread);
  }

  /** The thread is gone, and all its connections with it. */
  lost(thread: number, error: Error): void {
    if (!this.#isOpen && this.#opening.isLast(thread)) this.#opening.fail(error);
    this.#opening.answered(thread);
    this.#freeing?.answered(thread);
    this.#closing?.answered(thread);
    this.#showing?.answered(thread);
    this.#sockets.delete(thread);
  }
}

/** Waits until each of some threads has answered. */
class RollCall {
  readonly complete: Promise<void>;
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;
  readonly #missing: Set<number>;
  #isOver = false;

  constructor(threads: Iterable<number>) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.complete = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#missing = new Set(threads);
    this.#settle();
  }

  answered(thread: number): void {
    if (this.#missing.delete(thread)) this.#settle();
  }

  isLast(thread: number): boolean {
    return this.#missing.size === 1 && this.#missing.has(thread);
  }

  /** @returns false when it was over before. */
  fail(error: Error): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#reject(error);
    return true;
  }

  #settle(): void {
    if (this.#isOver || this.#missing.size > 0) return;
    this.#isOver = true;
    this.#resolve();
  }
}
