import { messageOf } from '../model/errors.ts';
import type { HealthCheck } from '../model/health-check.ts';
import { Answer } from './answer.ts';
import type { Verdict } from './body-judge.ts';
import { ConnectionKeeper } from './connection-keeper.ts';
import { plain } from './excerpt.ts';
import { type ConnectionUser, ProbeConnection } from './probe-connection.ts';
import { type ProbeTarget, requestText } from './probe-request.ts';

/** How long a probe goes on when its verdict is certain and the rest of the answer is not there yet, in milliseconds. */
const REST_MS = 50;
/** The longest message of a library that becomes part of a cause, in characters. */
const LONGEST_MESSAGE = 200;

export interface ProbeResult {
  readonly passed: boolean;
  /** Short and for people: `passed (200 in 3 ms)`, `status 503`, `connect ECONNREFUSED`, `timeout after 500 ms`. */
  readonly cause: string;
  readonly elapsedMs: number;
}

/** @param keeper - where the connection of the target is between two probes; without one it is closed. */
export type Probe = (
  target: ProbeTarget,
  check: HealthCheck,
  signal?: AbortSignal,
  keeper?: ConnectionKeeper,
) => Promise<ProbeResult>;

/**
 * One active check. `check.timeout` bounds the whole of it: connect, response head, and as much of the body as is needed.
 * Redirects are judged by their status, never followed. It goes over the connection that is kept, if there is one, and over
 * a new one if that turns out to be closed; and it is kept when the check passed.
 * Never rejects; once it resolves its connection is kept or destroyed. An abort gives a failure with the cause `aborted`.
 */
export const probe: Probe = (target, check, signal, keeper) => {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  new RunningProbe(target, check, { signal, keeper, resolve }).start();
  return promise;
};

interface Surroundings {
  readonly signal: AbortSignal | undefined;
  readonly keeper: ConnectionKeeper | undefined;
  readonly resolve: (result: ProbeResult) => void;
}

class RunningProbe implements ConnectionUser {
  readonly #target: ProbeTarget;
  readonly #check: HealthCheck;
  readonly #around: Surroundings;
  readonly #startedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #connection: ProbeConnection | null = null;
  /** The connection was kept, and has not proved yet that it is still good. */
  #isDoubtful = false;
  /** The connection is to be kept. */
  #keeps = false;
  #request = '';
  #answer: Answer;
  /** Milliseconds from the start to a verdict that is certain; null: there is none yet. */
  #certainAfter: number | null = null;
  #isSettled = false;

  constructor(target: ProbeTarget, check: HealthCheck, around: Surroundings) {
    this.#target = target;
    this.#check = check;
    this.#around = around;
    this.#answer = new Answer(check);
  }

  start(): void {
    const { signal, keeper } = this.#around;
    if (signal?.aborted === true) return this.handleEvent();
    signal?.addEventListener('abort', this);
    this.#wait(this.#check.timeout);
    try {
      const kept = keeper?.take();
      if (kept) this.#reuse(kept);
      else this.#connect();
    } catch (error) {
      this.#fail(messageOf(error)); // a path or host that cannot be sent, such as one with a space
    }
  }

  /** The signal was aborted. */
  handleEvent(): void {
    this.#fail('aborted');
  }

  connected(): void {
    if (this.#check.type === 'tcp') this.#settle({ passed: true, detail: 'connected' });
    else this.#connection?.send(this.#request);
  }

  received(text: string): void {
    this.#isDoubtful = false;
    const verdict = this.#answer.read(text);
    if (verdict) this.#settle(verdict);
    else if (this.#answer.soFar && this.#certainAfter === null) this.#hurry();
  }

  ended(error: Error | null): void {
    if (this.#isDoubtful) {
      this.#isDoubtful = false;
      this.#connect();
    } else if (error && !isReset(error)) this.#fail(causeOf(error));
    else this.#settle(this.#answer.end(error !== null));
  }

  #reuse(connection: ProbeConnection): void {
    this.#prepare(connection.requests);
    this.#connection = connection;
    this.#isDoubtful = true;
    connection.use(this);
    connection.send(this.#request);
  }

  #connect(): void {
    if (this.#check.type !== 'tcp') this.#prepare(0);
    this.#connection = new ProbeConnection(this.#target, this.#check, this);
  }

  /** @param requests - that the connection has carried before. */
  #prepare(requests: number): void {
    this.#keeps = this.#around.keeper !== undefined && ConnectionKeeper.mayKeep(this.#check, requests + 1);
    this.#request = requestText(this.#target, this.#check, !this.#keeps);
    this.#answer = new Answer(this.#check, this.#keeps);
  }

  #wait(delayMs: number): void {
    // An answer that has arrived while this thread was busy is read in the poll phase, between the timer and the immediate:
    // our own stall must not look like the instance's.
    this.#timer = setTimeout(() => setImmediate(() => this.#expire()), delayMs);
  }

  #hurry(): void {
    clearTimeout(this.#timer);
    this.#certainAfter = performance.now() - this.#startedAt;
    this.#wait(Math.max(0, Math.min(REST_MS, this.#check.timeout - this.#certainAfter)));
  }

  #expire(): void {
    const { soFar } = this.#answer;
    if (soFar) this.#settle(soFar);
    else this.#fail(`timeout after ${Math.round(this.#check.timeout)} ms`);
  }

  #fail(detail: string): void {
    this.#settle({ passed: false, detail });
  }

  #settle({ passed, detail }: Verdict): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    const { signal, keeper, resolve } = this.#around;
    signal?.removeEventListener('abort', this);
    const connection = this.#connection;
    const isKept = passed && this.#keeps && this.#answer.leavesConnection && connection?.isOpen === true;
    if (isKept) keeper?.keep(connection);
    else connection?.close();
    const elapsedMs = this.#certainAfter ?? performance.now() - this.#startedAt;
    resolve({ passed, cause: passed ? `passed (${detail} in ${Math.round(elapsedMs)} ms)` : detail, elapsedMs });
  }
}

/** By the other side, once the connection was there. */
function isReset(error: NodeJS.ErrnoException): boolean {
  return error.syscall !== 'connect' && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

/** `connect ECONNREFUSED`, without the address: whoever reads the cause knows which instance it is about. */
function causeOf(error: Error): string {
  // A name with several addresses gives one error for each of them; they rarely differ.
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return causeOf(error.errors[0]);
  if ('reason' in error && 'library' in error) return `TLS: ${String(error.reason)}`; // an answer in plain HTTP, for one
  if ('syscall' in error && 'code' in error) return `${String(error.syscall)} ${String(error.code)}`;
  const [message = ''] = error.message.split(';', 1); // behind it, Node gives advice about its own options
  return plain(message).slice(0, LONGEST_MESSAGE); // it may quote the instance's certificate
}
