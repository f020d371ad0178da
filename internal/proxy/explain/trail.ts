import type { Explanation } from '../../algorithms/explanation.ts';
import type { ExplainedAttempt, ExplainedPick, ExplainedRequest } from '../../model/explained-request.ts';
import type { Lease } from '../lease.ts';
import { describeOutcome } from '../outcome.ts';
import type { Refusal } from '../pool-parts.ts';
import type { RetryRefusal } from '../retry.ts';
import type { TraceRecord } from '../tracing/request-trace.ts';
import type { Upstream } from '../upstream.ts';
import { type Decision, pickView, type PoolView } from './pick-view.ts';

/** What is known of a request when it arrives. */
export interface TrailFacts {
  readonly id: string;
  readonly client: string;
  readonly method: string;
  readonly host: string;
  readonly target: string;
  /** Null: it goes to none. */
  readonly service: string | null;
  readonly algorithm: string | null;
  /** Null: it is not traced. */
  readonly trace: Pick<TraceRecord, 'traceId' | 'sampled'> | null;
  /** One for each attempt; grows with them. */
  readonly leases: readonly Lease[];
}

/** Picks of one request that waits and tries again are recorded up to this number. */
const MOST_PICKS = 20;
/** Of what a client has written so much is kept, in octets. */
const LONGEST_TEXT = 1_024;

interface TrailEnd {
  /** Which rule a refused request broke, or why it got no upstream, or no other one; null: neither. */
  readonly refusal?: string | null;
  /** Why a failed attempt was the last one; null: nothing was to repeat. */
  readonly notRepeated?: RetryRefusal | null;
}

interface Wait {
  readonly why: 'busy' | 'held';
  readonly from: number;
  to: number | null;
}

/** What one request leaves behind on its way: who could have been picked and why who was, how long it waited, and its attempts. */
export class Trail {
  /** In how many rings it is. */
  kept = 0;
  /** It is there before the first pick. */
  readonly sampled: boolean;
  /** Milliseconds of the engine's clock. */
  readonly startedAt: number;
  readonly #facts: TrailFacts;
  readonly #now: () => number;
  readonly #picks: ExplainedPick[] = [];
  readonly #waits: Wait[] = [];
  #status: number | null = null;
  #endedAt: number | null = null;
  #end: TrailEnd = {};

  constructor(facts: TrailFacts, sampled: boolean, startedAt: number, now: () => number) {
    this.startedAt = startedAt;
    this.#facts = keepable(facts);
    this.sampled = sampled;
    this.#now = now;
  }

  get id(): string {
    return this.#facts.id;
  }

  /**
   * An algorithm has picked, and nothing is claimed yet.
   * @param explanation - of right before: another winner than `winner` when requests of other threads have ended in between.
   */
  chooses(view: PoolView, free: readonly Upstream[], explanation: Explanation, winner: Upstream): void {
    this.#note(view, { result: 'picked', free, winner, explanation });
  }

  /** One that was ejected is about to be tried out. */
  tries(view: PoolView, upstream: Upstream): void {
    this.#note(view, { result: 'trial', free: [], winner: upstream, explanation: null });
  }

  refused(view: PoolView, why: Exclude<Refusal, 'shed'>): void {
    this.#note(view, { result: why, free: [], winner: null, explanation: null });
  }

  waits(why: Wait['why']): void {
    this.#waits.push({ why, from: this.#now(), to: null });
  }

  /** @param at - by the engine's clock. */
  waited(at: number): void {
    const wait = this.#waits.at(-1);
    if (wait !== undefined) wait.to ??= at;
  }

  ends(status: number, at: number, end: TrailEnd): void {
    this.waited(at);
    this.#status = status;
    this.#endedAt = at;
    this.#end = end;
  }

  view(): ExplainedRequest {
    const { startedAt } = this;
    const { leases, trace, ...facts } = this.#facts;
    const now = this.#now();
    const endedAt = this.#endedAt ?? now;
    return {
      ...facts,
      trace: trace && { id: trace.traceId, sampled: trace.sampled },
      thread: 0,
      at: new Date(Date.now() - (now - startedAt)).toISOString(),
      status: this.#status,
      refusal: this.#end.refusal ?? null,
      totalMs: endedAt - startedAt,
      sampled: this.sampled,
      waits: this.#waits.map(({ why, from, to }) => ({
        why,
        afterMs: from - startedAt,
        ms: to === null ? null : to - from,
      })),
      picks: this.#picks,
      attempts: leases.map((lease) => attemptView(lease, startedAt, endedAt)),
      notRepeated: this.#end.notRepeated ?? null,
    };
  }

  #note(view: PoolView, decision: Decision): void {
    if (this.#picks.length < MOST_PICKS) this.#picks.push(pickView(view, decision, this.#now() - this.startedAt));
  }
}

/** A piece of a request's head holds all of the head in memory: of the texts only copies can be kept. */
function keepable(facts: TrailFacts): TrailFacts {
  const { id, client, method, host, target, trace } = facts;
  const [ownId, ownClient, ownMethod] = [copyOf(id), copyOf(client), copyOf(method)];
  const ownTrace = trace && { traceId: copyOf(trace.traceId), sampled: trace.sampled };
  const [ownHost, ownTarget] = [copyOf(host), copyOf(target)];
  return {
    ...facts,
    id: ownId,
    client: ownClient,
    method: ownMethod,
    host: ownHost,
    target: ownTarget,
    trace: ownTrace,
  };
}

/** @param octets - one for each character. */
function copyOf(octets: string): string {
  const copy = Buffer.from(octets.slice(0, LONGEST_TEXT), 'latin1').toString('latin1');
  return octets.length > LONGEST_TEXT ? `${copy}…` : copy;
}

/** @param requestEnd - an attempt that succeeded ends with its request, as far as we know. */
function attemptView(lease: Lease, startedAt: number, requestEnd: number): ExplainedAttempt {
  const { upstream, weight, lastResort, connection, connectMs, sentMs, headMs, endedAt, outcome } = lease;
  return {
    upstream: upstream.id,
    weight,
    lastResort,
    afterMs: lease.startedAt - startedAt,
    connection,
    connectMs,
    sentMs,
    headMs,
    totalMs: outcome === null ? null : (endedAt ?? requestEnd) - lease.startedAt,
    outcome: outcome === null ? 'running' : describeOutcome(outcome),
  };
}
