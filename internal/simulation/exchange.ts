import type { Clock } from '../../pkg/clock/clock.ts';
import type { PickContext } from '../algorithms/balancer.ts';
import { mayRetry, resetsOf, type RetryBudget, type RetrySettings } from '../proxy/retry.ts';
import { isFailureStatus, type Outcome } from '../proxy/outcome.ts';
import type { Pool } from '../proxy/pool.ts';
import type { Lease } from '../proxy/lease.ts';
import type { Answer, Backend } from './backend.ts';
import type { Ledger } from './ledger.ts';

/** As in the configuration when nothing else is said there. */
const RETRIES: RetrySettings = { attempts: 2, budget: 0.2 };

/** What the exchanges of one simulation share. */
export interface ExchangeTools {
  readonly clock: Clock;
  readonly pool: Pool;
  readonly backends: ReadonlyMap<string, Backend>;
  readonly budget: RetryBudget;
  readonly ledger: Ledger;
}

/** One request: picks, claims, attempts and repetitions as an engine would have them, without sockets. */
export class Exchange {
  readonly #tools: ExchangeTools;
  readonly #method: string;
  readonly #context: PickContext;
  readonly #startedAt: number;
  readonly #leases: Lease[] = [];

  constructor(tools: ExchangeTools, method: string, hash: number) {
    this.#tools = tools;
    this.#method = method;
    this.#context = { hash: () => hash, affinity: () => undefined, now: () => tools.clock.monotonic() };
    this.#startedAt = tools.clock.monotonic();
  }

  start(): void {
    this.#tools.budget.requestStarted();
    this.#attempt();
  }

  #attempt(): void {
    const { pool, backends, ledger } = this.#tools;
    const tried = this.#leases.map(({ upstream }) => upstream);
    const lease = pool.lease(this.#context, tried);
    const backend = lease === null ? undefined : backends.get(lease.upstream.id);
    if (lease === null || backend === undefined) return this.#finished(false);
    this.#leases.push(lease);
    ledger.picked(lease.upstream.id, lease.startedAt);
    backend.take((answer) => this.#answered(lease, answer));
  }

  #answered(lease: Lease, { status, outcome, tailMs }: Answer): void {
    if (status === null) {
      lease.release(outcome);
      if (this.#goesOn(outcome)) this.#attempt();
      else this.#finished(false);
      return;
    }
    lease.head(status);
    this.#finished(!isFailureStatus(status));
    if (tailMs > 0) this.#tools.clock.after(tailMs, () => lease.release(outcome));
    else lease.release(outcome);
  }

  #goesOn(outcome: Outcome): boolean {
    const resets = resetsOf(this.#leases, outcome);
    const question = { outcome, method: this.#method, hasIdempotencyKey: false, bodyReplayable: true, resets };
    return mayRetry({ ...question, attempts: this.#leases.length }, RETRIES) && this.#tools.budget.take(RETRIES);
  }

  #finished(succeeded: boolean): void {
    const { clock, ledger } = this.#tools;
    ledger.finished(this.#startedAt, succeeded ? clock.monotonic() - this.#startedAt : Number.POSITIVE_INFINITY);
  }
}
