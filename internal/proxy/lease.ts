import type { Lifecycle } from '../model/lifecycle.ts';
import { isFailure, isFailureStatus, isGatewayError, isGatewayStatus, type Outcome } from './outcome.ts';
import type { Upstream } from './upstream.ts';

/** Who leaves sooner does not leave because it takes too long, in milliseconds. */
const PATIENCE_MS = 1_000;

/** What a lease tells the pool that gave it. */
export interface LeaseOwner {
  observed(upstream: Upstream, sample: { elapsed: number; failed: boolean; now: number }): void;
  /** No answer, or one that says that whoever is asked is not there. @param startedAt - of the attempt. */
  gatewayError(upstream: Upstream, startedAt: number, now: number): void;
  /** @param lifecycle - as it was when the request ended. */
  released(upstream: Upstream, outcome: Outcome, lifecycle: Lifecycle): void;
}

/** One picked upstream for one attempt: claimed together with the pick, released exactly once with an outcome. */
export class Lease {
  readonly upstream: Upstream;
  /** True when every instance was known to be unhealthy and this one is tried all the same. */
  readonly lastResort: boolean;
  readonly startedAt: number;
  /** Of the upstream, as it was in force for the pick: its place in memory may be another's when the request has ended. */
  readonly weight: number;
  readonly #owner: LeaseOwner;
  readonly #now: () => number;
  #connection: 'new' | 'reused' | 'renewed' | null = null;
  #connectedAt: number | null = null;
  #sentAt: number | null = null;
  #headAt: number | null = null;
  #outcome: Outcome | null = null;
  #endedAt: number | null = null;

  constructor(owner: LeaseOwner, upstream: Upstream, lastResort: boolean, now: () => number) {
    upstream.claim(); // under the same lock as the pick: two requests never claim the same last slot
    this.upstream = upstream;
    this.lastResort = lastResort;
    this.startedAt = now();
    this.weight = upstream.weight;
    this.#owner = owner;
    this.#now = now;
  }

  /** Milliseconds from the start of the attempt to the response head; null before it. */
  get headMs(): number | null {
    return this.#headAt === null ? null : this.#headAt - this.startedAt;
  }

  /** How the attempt came to its connection; `renewed`: a kept one was found closed, and another one opened. Null: it has none. */
  get connection(): 'new' | 'reused' | 'renewed' | null {
    return this.#connection;
  }

  /** Milliseconds from the start of the attempt until a new connection stood; null: there is no new one. */
  get connectMs(): number | null {
    return this.#connectedAt === null ? null : this.#connectedAt - this.startedAt;
  }

  /** Milliseconds from the start of the attempt until the whole request was on its way; null before it. */
  get sentMs(): number | null {
    return this.#sentAt === null ? null : this.#sentAt - this.startedAt;
  }

  /** When the attempt failed, by the clock of `startedAt`; null: it runs, or nobody looked at the clock when it succeeded. */
  get endedAt(): number | null {
    return this.#endedAt;
  }

  get outcome(): Outcome | null {
    return this.#outcome;
  }

  /** The attempt has a connection. @param isReused - one that was kept from an earlier request. */
  connected(isReused: boolean): void {
    if (isReused) {
      this.#connection = 'reused';
      return;
    }
    this.#connection = this.#connection === 'reused' ? 'renewed' : 'new';
    this.#connectedAt = this.#now();
  }

  /** The whole request is on its way: from here on the upstream keeps us waiting, nobody else. Later calls do nothing. */
  sent(): void {
    if (this.#sentAt !== null || this.#headAt !== null || this.#outcome !== null) return;
    this.#sentAt = this.#now();
    this.upstream.sent(this.#sentAt);
  }

  /** The final response head arrived: the latency sample is taken here, not at the end of a body the client may read slowly. */
  head(status: number): void {
    if (this.#headAt !== null || this.#outcome !== null) return;
    const now = this.#now();
    this.#headAt = now;
    this.upstream.answering(1);
    this.upstream.took(now - this.startedAt);
    if (isGatewayStatus(status)) this.#owner.gatewayError(this.upstream, this.startedAt, now);
    else this.upstream.endStreak();
    if (this.#sentAt !== null) {
      this.upstream.settled(this.#sentAt);
      if (!isFailureStatus(status)) this.upstream.answered(now - this.#sentAt);
    }
    this.#owner.observed(this.upstream, {
      elapsed: now - this.startedAt,
      failed: isFailureStatus(status),
      now,
    });
  }

  /** Later calls do nothing: whatever ends an attempt first decides its outcome. */
  release(outcome: Outcome): void {
    if (this.#outcome !== null) return;
    this.#outcome = outcome;
    if (this.#headAt !== null) this.upstream.answering(-1);
    else if (this.#sentAt !== null) this.upstream.settled(this.#sentAt);
    const now = outcome.kind === 'completed' ? null : this.#now(); // of what succeeded nobody asks it
    this.#endedAt = now;
    if (this.#headAt === null) this.#endedWithoutHead(outcome, now ?? this.#now());
    const before = this.upstream.lifecycle;
    this.upstream.unclaim(isFailure(outcome));
    // A drain may just have begun that still counted this request. One that was removed before is not to be read any more.
    this.#owner.released(this.upstream, outcome, before === 'ready' ? this.upstream.lifecycle : before);
  }

  #endedWithoutHead(outcome: Outcome, now: number): void {
    const elapsed = now - this.startedAt;
    if (outcome.kind === 'client-closed') {
      // It would have taken even longer: without those who lose patience, what hangs would not look slow.
      if (this.#sentAt !== null && now - this.#sentAt >= PATIENCE_MS) this.upstream.took(elapsed);
      return;
    }
    if (outcome.kind === 'head-timeout') this.upstream.took(elapsed);
    if (isGatewayError(outcome)) this.#owner.gatewayError(this.upstream, this.startedAt, now);
    this.#owner.observed(this.upstream, { elapsed, failed: isFailure(outcome), now });
  }
}
