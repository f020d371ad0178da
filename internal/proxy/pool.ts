import type { Balancer } from '../algorithms/balancer.ts';
import { initialLimit } from '../health/concurrency.ts';
import type { Lifecycle } from '../model/lifecycle.ts';
import { amongWhom, atOneMoment, type PoolView } from './explain/pick-view.ts';
import { Lease, type LeaseOwner } from './lease.ts';
import { LineGauge } from './line-gauge.ts';
import { type Offer, offerOf } from './offer.ts';
import { isOwnFault, type Outcome } from './outcome.ts';
import { LatencyTotal } from './latency-total.ts';
import type { EndedRequests, RequestEnd } from './request-counts.ts';
import { PastWork } from './past-work.ts';
import { SharedState } from './shared-state.ts';
import { SlotAllocator } from './slot-allocator.ts';
import type { Upstream } from './upstream.ts';
import type {
  LeaseContext,
  LeaseSeeker,
  LineLimits,
  PoolEvents,
  PoolLimits,
  PoolOutlook,
  PoolPlace,
  Refusal,
} from './pool-parts.ts';
import { type Waiter, type Waiting, WaitingLine } from './waiting-line.ts';

const NO_LINE: LineLimits = { limit: 0, timeout: 0 };
const UNLIMITED: PoolLimits = {
  maxConnections: null,
  adaptiveConcurrency: null,
  queue: { ...NO_LINE, shed: false },
  hold: NO_LINE,
  scaleFromZero: false,
  healthCheck: { neverEmpty: true },
  panicThreshold: 0,
  outlierDetection: { consecutiveErrors: null, interval: 0 },
};
const NO_UPSTREAMS: readonly Upstream[] = [];

/**
 * The upstreams of one service. What may be picked is decided here and only here, never inside an algorithm:
 * lifecycle `ready`, healthy and not ejected; when too few are, or none is left, the others, unless the service would rather
 * have nobody (`neverEmpty`), see `offerOf`; and never one that has as many requests in flight as it may. While the pool is
 * paused, requests that have not begun are held; so is any while it is asleep, without one upstream. They are let go
 * in the order of their arrival.
 *
 * Each thread has a pool of its own over the same place: a pick is made under the lock of that place, and sees every
 * change that the main thread has made before.
 */
export class Pool implements LeaseOwner {
  readonly name: string;
  readonly #events: PoolEvents;
  readonly #now: () => number;
  readonly #place: PoolPlace;
  readonly #upstreams = new Map<string, Upstream>();
  readonly #line: WaitingLine;
  readonly #gauge: LineGauge;
  #balancer: Balancer;
  #limits: PoolLimits = UNLIMITED;
  /** Whether an upstream can be full. */
  #isLimited = false;
  #offer: Offer = offerOf(NO_UPSTREAMS, UNLIMITED);
  /** The epoch that the offer and the three states are of. */
  #epoch = Number.NaN;
  #paused = false;
  #asleep = false;
  /** Some that were held may not have had their turn yet: nobody overtakes them. */
  #releasing = false;
  #closed = false;
  #composition = 0;
  readonly #past = new PastWork();
  readonly #durationTotal = new LatencyTotal();

  constructor(name: string, balancer: Balancer, events: PoolEvents, now: () => number, place: PoolPlace = lonePool()) {
    this.name = name;
    this.#balancer = balancer;
    this.#events = events;
    this.#now = now;
    this.#place = place;
    this.#line = new WaitingLine(place.state, place.pool, now);
    this.#gauge = new LineGauge(place.state.lines, place.pool);
  }

  /** In force for every pick that follows, and for those who wait. */
  set limits(limits: PoolLimits) {
    this.#limits = limits;
    this.#isLimited = limits.maxConnections !== null || limits.adaptiveConcurrency !== null;
    this.#epoch = Number.NaN;
    this.#place.state.signal(this.#place.pool);
  }

  /** To be set by the main thread; in force in all threads for every pick that follows. */
  set paused(paused: boolean) {
    const { state, pool } = this.#place;
    if (state.paused(pool) === paused) return;
    state.setPaused(pool, paused);
    this.invalidate();
  }

  get paused(): boolean {
    return this.#place.state.paused(this.#place.pool);
  }

  get balancer(): Balancer {
    return this.#balancer;
  }

  set balancer(balancer: Balancer) {
    this.#balancer = balancer;
  }

  get place(): PoolPlace {
    return this.#place;
  }

  /** How many upstreams there are, whether they may be picked or not. */
  get size(): number {
    return this.#upstreams.size;
  }

  /** Another number after every upstream that has come or gone. */
  get composition(): number {
    return this.#composition;
  }

  upstreams(): Iterable<Upstream> {
    return this.#upstreams.values();
  }

  get(id: string): Upstream | undefined {
    return this.#upstreams.get(id);
  }

  put(upstream: Upstream): void {
    const before = this.#upstreams.get(upstream.id);
    this.#retire(before);
    this.#upstreams.set(upstream.id, upstream);
    this.#composition += 1;
    this.invalidate();
    this.#remember(before);
  }

  delete(id: string): void {
    const before = this.#upstreams.get(id);
    this.#retire(before);
    this.#upstreams.delete(id);
    this.#composition += 1;
    this.invalidate();
    this.#remember(before);
  }

  /**
   * Gives no more leases, in no thread; those that are out run on, and every end of one is told. The places of the pool
   * and of its idle upstreams may be given to others afterwards, so that nothing is to be read there.
   */
  close(): void {
    this.#closed = true;
    for (const upstream of this.#upstreams.values()) this.#retire(upstream);
    this.invalidate();
  }

  /** To be called after any change of an upstream's lifecycle, health or weight: the next pick of any thread sees it. */
  invalidate(): void {
    this.#epoch = Number.NaN;
    if (this.#place.state.thread === 0) this.#place.state.bump(this.#place.pool);
  }

  /** The upstreams that a request may go to when all is well; the same array until something changes. */
  healthy(): readonly Upstream[] {
    return this.#present().fit;
  }

  #present(): Offer {
    const epoch = this.#place.state.epoch(this.#place.pool);
    if (this.#epoch !== epoch) this.#look(epoch);
    return this.#offer;
  }

  #look(epoch: number): void {
    const { state, pool } = this.#place;
    this.#epoch = epoch;
    const open = this.#closed ? NO_UPSTREAMS : [...this.#upstreams.values()];
    const ready = open.filter((upstream) => upstream.lifecycle === 'ready').toSorted((a, b) => a.ordinal - b.ordinal);
    this.#offer = offerOf(ready, this.#limits);
    const isEmpty = ready.every((upstream) => upstream.health === 'unknown');
    this.#asleep = isEmpty && this.#limits.scaleFromZero && !this.#closed;
    this.#paused = state.paused(pool) && !this.#closed;
    this.#releasing = state.oldestWaiting(pool) < Number.POSITIVE_INFINITY;
  }

  /** What a request is sent to first; when there is nobody, those that are tried as a last resort. */
  candidates(): readonly Upstream[] {
    const { first, lastResort } = this.#present();
    return first.length > 0 ? first : lastResort;
  }

  /** Whether somebody fit is left for a request that was tried there; nobody is while health is ignored, see `offerOf`. */
  hasFitOther(tried: readonly Upstream[]): boolean {
    const { fit, first } = this.#present();
    return first.length === fit.length && without(fit, tried).length > 0;
  }

  /** Picks and claims an upstream at once; null when there is nobody to pick, or nobody with room. */
  lease(context: LeaseContext, tried: readonly Upstream[]): Lease | null {
    const { state, pool } = this.#place;
    state.lock(pool);
    try {
      const found = this.#pick(context, tried, false);
      return found instanceof Lease ? found : null;
    } finally {
      state.unlock(pool);
    }
  }

  /**
   * Picks and claims an upstream, or lets the request wait while all that it might go to are full, or it is held.
   * @returns `busy` or `held` when as many wait as may, `shed` when the wait would be in vain.
   */
  acquire(context: LeaseContext, tried: readonly Upstream[], seeker: LeaseSeeker): Lease | Waiting | Refusal {
    const { state, pool } = this.#place;
    state.lock(pool);
    try {
      const signals = state.signals(pool); // before we look: no room that is made after that goes unnoticed
      const found = this.#pick(context, tried, false);
      if (found instanceof Lease) {
        if (tried.length > 0) this.#retried();
        return found;
      }
      context.trail?.refused(this.#viewFor(tried), found);
      if (tried.length === 0) state.countApart(pool, 1);
      if (found === 'nobody') return found;
      const waiting = state.waiting(pool);
      if (waiting >= (found === 'held' ? this.#limits.hold : this.#limits.queue).limit) return found;
      if (found === 'held' && waiting === 0) queueMicrotask(() => this.#events.held?.()); // the lock is held here
      if (found === 'busy' && tried.length === 0 && this.#refuses(waiting)) return 'shed';
      if (found === 'held') this.#gauge.restart(this.#now());
      return this.#line.add(this.#waiter(context, tried, seeker, found), signals);
    } finally {
      state.unlock(pool);
    }
  }

  /** It was counted when it came. */
  #retried(): void {
    const { state, pool } = this.#place;
    state.countApart(pool, -1);
    if (!this.#closed) state.requestCounts.retried(pool);
  }

  #refuses(waiting: number): boolean {
    const running = () => [...this.#upstreams.values()].reduce((sum, { inFlight }) => sum + inFlight, 0);
    return this.#gauge.refuses(waiting, running, this.#limits.queue, this.#now());
  }

  /** How long it takes until those who wait now have had their turn, in whole seconds, at least one. */
  get retryAfter(): number {
    return Math.max(1, Math.ceil(this.still(() => this.#gauge.wait(this.waiting, this.#now())) / 1_000));
  }

  /** Requests that wait, in all threads. */
  get waiting(): number {
    return this.#place.state.waiting(this.#place.pool);
  }

  /** How many requests have come to the pool since it was made, in all threads; for the main thread. */
  get requests(): number {
    return this.still(() => this.attempts + this.#place.state.requestsApart(this.#place.pool));
  }

  /** How often one of its upstreams was picked, those that are gone included; for the main thread. */
  get attempts(): number {
    let sum = this.#past.picks;
    for (const { picks } of this.#upstreams.values()) sum += picks;
    return sum;
  }

  /** What upstreams have done that are gone; for the main thread. */
  get past(): PastWork {
    return this.#past;
  }

  /** How often a request was sent to one more upstream, in all threads. */
  get retries(): number {
    return this.#place.state.requestCounts.retries(this.#place.pool);
  }

  /** A request to the pool is over. @param elapsedMs - since its head came. */
  ended(end: RequestEnd, elapsedMs: number): void {
    if (this.#closed) return;
    const { state, pool } = this.#place;
    state.requestCounts.count(pool, end);
    state.durations.record(pool, elapsedMs);
  }

  /** How long the requests took that are over, in all threads, see `LatencyHistograms`; for the main thread. */
  get totalDurations(): Float64Array {
    return this.#durationTotal.update(this.#place.state.durations.read(this.#place.pool));
  }

  /** Octets that clients sent to the pool in requests that are over, in all threads. */
  get receivedBytes(): number {
    return this.#place.state.requestCounts.receivedBytes(this.#place.pool);
  }

  /** The same of what they got. */
  get sentBytes(): number {
    return this.#place.state.requestCounts.sentBytes(this.#place.pool);
  }

  /** How requests to the pool have ended since it was made, in all threads. */
  get endedRequests(): EndedRequests {
    return this.#place.state.requestCounts.read(this.#place.pool);
  }

  /** The same by `STATUS_CLASSES`. */
  get endedByClass(): readonly number[] {
    return this.#place.state.requestCounts.endedByClass(this.#place.pool);
  }

  outlook(): PoolOutlook {
    return this.still(() => {
      const candidates = this.candidates();
      const hasRoom = (upstream: Upstream) => upstream.inFlight < this.#limitOf(upstream);
      const free = candidates.every(hasRoom) ? candidates : candidates.filter(hasRoom);
      const nothingKnown = { hash: () => 0, affinity: () => undefined, now: this.#now };
      return {
        among: amongWhom({ offer: this.#offer, tried: NO_UPSTREAMS }),
        held: this.paused ? 'paused' : this.holds ? 'asleep' : null,
        free,
        offered: new Set(candidates),
        explanation: free.length === 0 ? null : this.#balancer.explain(free, nothingKnown),
        limitOf: this.#limitOf,
      };
    });
  }

  /** Looks at numbers while nobody picks, in any thread. */
  still<T>(look: () => T): T {
    const { state, pool } = this.#place;
    state.lock(pool);
    try {
      return look();
    } finally {
      state.unlock(pool);
    }
  }

  /** Whether new requests are held: it is paused, or asleep. */
  get holds(): boolean {
    this.#present();
    return this.#paused || this.#asleep;
  }

  /** Under the lock. @param inTurn - all who might be overtaken have been asked. */
  #pick(context: LeaseContext, tried: readonly Upstream[], inTurn: boolean): Lease | Exclude<Refusal, 'shed'> {
    const { fit, first, lastResort } = this.#present();
    const preferred = tried.length === 0 ? first : without(fit, tried);
    if ((this.#paused || this.#releasing) && tried.length === 0 && this.#mustWait(inTurn)) return 'held';
    const isLastResort = preferred.length === 0;
    const candidates = isLastResort ? without(lastResort, tried) : preferred;
    if (candidates.length === 0) return this.#asleep ? 'held' : 'nobody';
    const trial = tried.length === 0 ? this.#trial(context) : undefined;
    if (trial !== undefined) {
      context.trail?.tries(this.#viewFor(tried), trial);
      return new Lease(this, trial, false, this.#now);
    }
    const free = this.#isLimited ? this.#withRoom(candidates, inTurn) : candidates;
    if (free.length === 0) return 'busy';
    return new Lease(this, this.#choose(free, context, tried), isLastResort, this.#now);
  }

  #choose(free: readonly Upstream[], context: LeaseContext, tried: readonly Upstream[]): Upstream {
    const { trail } = context;
    if (!trail) return this.#balancer.pick(free, context);
    const moment = atOneMoment(context);
    const explanation = this.#balancer.explain(free, moment);
    const picked = this.#balancer.pick(free, moment);
    trail.chooses(this.#viewFor(tried), free, explanation, picked);
    return picked;
  }

  #viewFor(tried: readonly Upstream[]): PoolView {
    return { upstreams: this.#upstreams.values(), offer: this.#offer, tried, limitOf: this.#limitOf };
  }

  /** Now and then a request tries out one that was ejected; none that belongs elsewhere by its cookie. */
  #trial(context: LeaseContext): Upstream | undefined {
    const { onTrial } = this.#offer;
    if (onTrial.length === 0) return undefined;
    const chosen = onTrial.find((upstream) => upstream.trials > 0 && (!this.#isLimited || this.#hasRoom(upstream)));
    if (chosen === undefined || context.affinity() !== undefined) return undefined;
    chosen.takeTrial();
    return chosen;
  }

  /** A request that has not begun; one that has, goes on: pausing is to come to an end. */
  #mustWait(inTurn: boolean): boolean {
    if (this.#paused) return true;
    if (inTurn || this.#isLimited) return false; // with a limit `#withRoom` looks
    this.#releasing = this.#place.state.oldestWaiting(this.#place.pool) < Number.POSITIVE_INFINITY;
    return this.#releasing;
  }

  #withRoom(upstreams: readonly Upstream[], inTurn: boolean): readonly Upstream[] {
    const { state, pool } = this.#place;
    if (!inTurn && state.oldestWaiting(pool) < Number.POSITIVE_INFINITY) return NO_UPSTREAMS; // nobody overtakes
    return upstreams.every(this.#hasRoom) ? upstreams : upstreams.filter(this.#hasRoom);
  }

  readonly #hasRoom = (upstream: Upstream): boolean => {
    const { maxConnections, adaptiveConcurrency } = this.#limits;
    const { inFlight } = upstream;
    if (maxConnections !== null && inFlight >= maxConnections) return false;
    if (adaptiveConcurrency === null) return true;
    const limit = upstream.concurrency || initialLimit(adaptiveConcurrency);
    if (inFlight < limit || inFlight < limit + upstream.inProgress) return true; // mostly the first says it, for less
    upstream.refused();
    return false;
  };

  /** Requests in flight that it may have; infinite: any number. */
  readonly #limitOf = (upstream: Upstream): number => {
    const { maxConnections, adaptiveConcurrency } = this.#limits;
    const most = maxConnections ?? Number.POSITIVE_INFINITY;
    if (adaptiveConcurrency === null) return most;
    return Math.min(most, (upstream.concurrency || initialLimit(adaptiveConcurrency)) + upstream.inProgress);
  };

  #waiter(context: LeaseContext, tried: readonly Upstream[], seeker: LeaseSeeker, why: 'busy' | 'held'): Waiter {
    let wasHeld = why === 'held';
    return {
      isChoosy: tried.length > 0,
      patience: () => {
        wasHeld ||= this.holds; // it may have come before the pause
        const { hold, queue } = this.#limits;
        return wasHeld ? hold.timeout : this.#gauge.patience(queue, this.#now());
      },
      tryTurn: () => {
        const found = this.#pick(context, tried, true);
        if (found === 'busy' || found === 'held') return false;
        if (found instanceof Lease && tried.length > 0) this.#retried();
        else if (found instanceof Lease) this.#place.state.countApart(this.#place.pool, -1); // it was counted when it came
        if (wasHeld) this.#gauge.restart(this.#now());
        else this.#gauge.turn(this.#now());
        queueMicrotask(() => seeker.turn(found)); // the lock is held here
        return true;
      },
      expired: () => seeker.turn(wasHeld ? 'held' : this.#waitedInVain(tried.length > 0)),
    };
  }

  /** A retry may have waited for one upstream while the others had room: that tells nothing of the line. */
  #waitedInVain(isChoosy: boolean): Refusal {
    return isChoosy ? 'busy' : this.still(() => this.#gauge.inVain(this.#limits.queue, this.#now()));
  }

  observed(upstream: Upstream, sample: { elapsed: number; failed: boolean; now: number }): void {
    if (this.#closed || !this.#balancer.learns) return;
    const { state, pool } = this.#place;
    state.lock(pool);
    try {
      this.#balancer.observe(upstream, this.#present().first, sample);
    } finally {
      state.unlock(pool);
    }
  }

  gatewayError(upstream: Upstream, startedAt: number, now: number): void {
    const { consecutiveErrors, interval } = this.#limits.outlierDetection;
    const inRow = upstream.gatewayError(startedAt, now, interval);
    if (this.#closed || inRow === 0) return;
    // every so many, in case there was no room for one more ejection the last time
    const isLimit = consecutiveErrors !== null && inRow % consecutiveErrors === 0;
    if (isLimit || upstream.standing === 'on-trial') this.#events.failing?.();
  }

  released(upstream: Upstream, outcome: Outcome, lifecycle: Lifecycle): void {
    if (outcome.kind === 'connect-failed' && !isOwnFault(outcome)) this.#events.connectFailed(upstream, outcome.cause);
    if (lifecycle !== 'ready') this.#events.drained(upstream);
    if (this.#isLimited) this.#place.state.signal(this.#place.pool);
  }

  /** The last of what it has done, now that nobody picks it any more. */
  #remember(upstream: Upstream | undefined): void {
    if (upstream !== undefined && this.#place.state.thread === 0) this.#past.add(upstream);
  }

  /** Other threads have the upstream in their lists until they hear of it: they must not pick it any more. */
  #retire(upstream: Upstream | undefined): void {
    if (upstream !== undefined && this.#place.state.thread === 0) upstream.lifecycle = 'stopped';
  }
}

function without(upstreams: readonly Upstream[], tried: readonly Upstream[]): readonly Upstream[] {
  return tried.length === 0 ? upstreams : upstreams.filter((upstream) => !tried.includes(upstream));
}

/** For a pool that no other thread knows. */
export function lonePool(): PoolPlace {
  const allocator = new SlotAllocator(SharedState.create({ upstreams: 1, pools: 1, threads: 0 }));
  return { state: allocator.state, pool: allocator.pool() };
}
