import { messageOf } from '../model/errors.ts';
import type { HealthCheck } from '../model/health-check.ts';
import { Answer } from './answer.ts';
import type { Verdict } from './body-judge.ts';
import { ConnectionKeeper } from './connection-keeper.ts';
import { plain } from './excerpt.ts';
import { type ConnectionUser, ProbeConnection } from './probe-connection.ts';
import type { ProbeTarget } from './probe-request.ts';

/** How long a probe goes on when its verdict is certain and the rest of the answer is not there yet, in milliseconds. */
const REST_MS = 50;
/** The longest message of a library that becomes part of a cause, in characters. */
const LONGEST_MESSAGE = 200;

const ABORTED: ProbeResult = { passed: false, cause: 'aborted', elapsedMs: 0 };

export interface ProbeResult {
  readonly passed: boolean;
  /** Short and for people: `passed (200 in 3 ms)`, `status 503`, `connect ECONNREFUSED`, `timeout after 500 ms`, `connect timeout after 500 ms`. */
  readonly cause: string;
  readonly elapsedMs: number;
}

/** A probe under way. */
export interface StartedProbe {
  /** Ends it as a failure with the cause `aborted`, unless it has ended. */
  abort(): void;
}

/**
 * @param done - called once, maybe before the function returns.
 * @param keeper - where the connection of the target is between two probes; without one it is closed.
 */
export type StartProbe = (
  target: ProbeTarget,
  check: HealthCheck,
  done: (result: ProbeResult) => void,
  keeper?: ConnectionKeeper,
) => StartedProbe;

/**
 * One active check. `check.timeout` bounds the whole of it: connect, response head, and as much of the body as is needed.
 * Redirects are judged by their status, never followed. It goes over the connection that is kept, if there is one, and over
 * a new one if that turns out to be closed; and it is kept when the check passed. Once it is done its connection is kept or
 * destroyed. Never throws.
 */
export const startProbe: StartProbe = (target, check, done, keeper) => {
  const running = new RunningProbe(target, check, done, keeper);
  running.start();
  return running;
};

/** The same as a promise, which never rejects. */
export function probe(
  target: ProbeTarget,
  check: HealthCheck,
  signal?: AbortSignal,
  keeper?: ConnectionKeeper,
): Promise<ProbeResult> {
  if (signal?.aborted === true) return Promise.resolve(ABORTED);
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  const started = startProbe(target, check, resolve, keeper);
  const abort = () => started.abort();
  signal?.addEventListener('abort', abort);
  return promise.finally(() => signal?.removeEventListener('abort', abort));
}

class RunningProbe implements StartedProbe, ConnectionUser {
  readonly #target: ProbeTarget;
  readonly #check: HealthCheck;
  readonly #done: (result: ProbeResult) => void;
  readonly #keeper: ConnectionKeeper | undefined;
  readonly #startedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #connection: ProbeConnection | null = null;
  /** The connection was kept, and has not proved yet that it is still good. */
  #isDoubtful = false;
  /** The connection is to be kept. */
  #keeps = false;
  #answer: Answer | null = null;
  /** Milliseconds from the start to a verdict that is certain; null: there is none yet. */
  #certainAfter: number | null = null;
  #isSettled = false;

  constructor(...[target, check, done, keeper]: Parameters<StartProbe>) {
    this.#target = target;
    this.#check = check;
    this.#done = done;
    this.#keeper = keeper;
  }

  start(): void {
    this.#wait(this.#check.timeout);
    try {
      const kept = this.#keeper?.take();
      if (kept) this.#reuse(kept);
      else this.#connect();
    } catch (error) {
      this.#fail(messageOf(error)); // a path or host that cannot be sent, such as one with a space
    }
  }

  abort(): void {
    this.#fail('aborted');
  }

  connected(): void {
    if (this.#check.type === 'tcp') this.#settle({ passed: true, detail: 'connected' });
    else this.#connection?.ask(!this.#keeps);
  }

  received(text: string): void {
    this.#isDoubtful = false;
    const answer = this.#answer;
    const verdict = answer?.read(text);
    if (verdict) this.#settle(verdict);
    else if (answer?.soFar && this.#certainAfter === null) this.#hurry();
  }

  ended(error: Error | null): void {
    if (this.#isDoubtful) {
      this.#isDoubtful = false;
      this.#connect();
    } else if (error && !isReset(error)) this.#fail(causeOf(error));
    else if (this.#answer) this.#settle(this.#answer.end(error !== null));
  }

  #reuse(connection: ProbeConnection): void {
    this.#prepare(connection.requests);
    this.#connection = connection;
    this.#isDoubtful = true;
    connection.use(this);
    connection.ask(!this.#keeps);
  }

  #connect(): void {
    this.#prepare(0);
    this.#connection = new ProbeConnection(this.#target, this.#check, this);
  }

  /** @param requests - that the connection has carried before. */
  #prepare(requests: number): void {
    this.#keeps = this.#keeper !== undefined && ConnectionKeeper.mayKeep(this.#check, requests + 1);
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
    const soFar = this.#answer?.soFar;
    if (soFar) this.#settle(soFar);
    else {
      const what = this.#connection?.isConnecting === true ? 'connect timeout' : 'timeout';
      this.#fail(`${what} after ${Math.round(this.#check.timeout)} ms`);
    }
  }

  #fail(detail: string): void {
    this.#settle({ passed: false, detail });
  }

  #settle({ passed, detail }: Verdict): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    const connection = this.#connection;
    const isKept = passed && this.#keeps && this.#answer?.leavesConnection === true && connection?.isOpen === true;
    if (isKept) this.#keeper?.keep(connection);
    else connection?.close();
    const elapsedMs = this.#certainAfter ?? performance.now() - this.#startedAt;
    this.#done({ passed, cause: passed ? `passed (${detail} in ${Math.round(elapsedMs)} ms)` : detail, elapsedMs });
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
