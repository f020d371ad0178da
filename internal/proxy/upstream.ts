import type { Candidate } from '../algorithms/balancer.ts';
import { hash32 } from '../algorithms/hash.ts';
import type { ConcurrencyLimit } from '../health/concurrency.ts';
import { type Health, HEALTHS } from '../model/health.ts';
import { incarnationOf } from '../model/incarnation.ts';
import type { Instance } from '../model/instance.ts';
import { type Lifecycle, LIFECYCLES } from '../model/lifecycle.ts';
import { type Ejection, type Standing, STANDINGS } from '../model/ejection.ts';
import type { ConnectionCounts, Connections } from './connection-counts.ts';
import { LatencyTotal } from './latency-total.ts';
import type { Observed } from './observations.ts';
import { SharedState } from './shared-state.ts';
import { SlotAllocator } from './slot-allocator.ts';

/** Where an upstream's numbers are kept. */
export interface UpstreamPlace {
  readonly state: SharedState;
  readonly slot: number;
}

/**
 * The data plane's live view of one process behind an instance. A restarted instance gets a new upstream: in-flight
 * requests and latency of the dead process say nothing about its successor.
 *
 * Its numbers are those of all threads: each thread has an object of its own over the same place.
 */
export class Upstream implements Candidate {
  readonly id: string;
  readonly seed: number;
  readonly ordinal: number;
  readonly slot: number;
  readonly incarnation: string;
  instance: Instance;
  healthCause = 'not checked yet';
  /** Since when its health is what it is; epoch milliseconds; null: not known. Of the main thread alone, as is its cause. */
  healthSince: number | null = null;
  /** Why it is ejected or on trial; known to the main thread alone. */
  ejection: Ejection | null = null;
  /** Finds out `concurrency`; known to the main thread alone, null: there is no such limit. */
  concurrencyLimit: ConcurrencyLimit | null = null;
  readonly #state: SharedState;
  #latencyTotal: LatencyTotal | null = null;

  /** @param place - already filled when the upstream is another thread's, too; else see `update`. */
  constructor(instance: Instance, place: UpstreamPlace = lonePlace()) {
    this.id = instance.id;
    this.seed = hash32(instance.id);
    this.#state = place.state;
    this.slot = place.slot;
    this.ordinal = place.state.ordinals[place.slot] ?? 0;
    this.incarnation = incarnationOf(instance);
    this.instance = instance;
    if (place.state.thread === 0) {
      this.health = 'unknown';
      this.update(instance);
    }
  }

  /** In force for all threads once the pool's epoch has changed. */
  update(instance: Instance): void {
    this.instance = instance;
    this.weight = instance.weight;
    this.lifecycle = instance.lifecycle;
  }

  get lifecycle(): Lifecycle {
    return LIFECYCLES[this.#state.lifecycle[this.slot] ?? 0] ?? 'starting';
  }

  set lifecycle(lifecycle: Lifecycle) {
    this.#state.lifecycle[this.slot] = LIFECYCLES.indexOf(lifecycle);
  }

  get health(): Health {
    return HEALTHS[this.#state.health[this.slot] ?? 0] ?? 'unknown';
  }

  set health(health: Health) {
    this.#state.health[this.slot] = HEALTHS.indexOf(health);
  }

  /** What its requests have brought it to; `health` is what its checks say. */
  get standing(): Standing {
    return STANDINGS[this.#state.standing[this.slot] ?? 0] ?? 'in';
  }

  set standing(standing: Standing) {
    this.#state.standing[this.slot] = STANDINGS.indexOf(standing);
  }

  /** Whether it gets requests as usual once it is `ready`. */
  get isFit(): boolean {
    return this.health === 'healthy' && this.standing === 'in';
  }

  /** Checks and requests together. */
  get condition(): Health {
    return this.health === 'healthy' && this.standing !== 'in' ? 'ejected' : this.health;
  }

  /** Nobody could connect to it lately. */
  get unreachable(): boolean {
    return this.#state.unreachable[this.slot] === 1;
  }

  set unreachable(unreachable: boolean) {
    this.#state.unreachable[this.slot] = unreachable ? 1 : 0;
  }

  /** How many requests without a response head it may have, as found out from its latencies; 0: not known. */
  get concurrency(): number {
    return this.#state.concurrency[this.slot] ?? 0;
  }

  /** To be set by the main thread; in force for every pick that follows. */
  set concurrency(requests: number) {
    this.#state.concurrency[this.slot] = requests;
  }

  /** A request was kept from it by this limit. */
  refused(): void {
    this.#state.full[this.slot] = 1;
  }

  /** Whether one was since the last call; for the main thread. */
  takeRefused(): boolean {
    return Atomics.exchange(this.#state.full, this.slot, 0) === 1;
  }

  /** How many requests may still try it out while it is on trial. */
  get trials(): number {
    return this.#state.trials(this.slot);
  }

  /** To be set by the main thread. */
  set trials(requests: number) {
    this.#state.grantTrials(this.slot, requests);
  }

  get weight(): number {
    return this.#state.weight[this.slot] ?? 1;
  }

  set weight(weight: number) {
    this.#state.weight[this.slot] = weight;
  }

  get inFlight(): number {
    return this.#state.inFlight(this.slot);
  }

  /** Whether its place is another's: nothing ran on it any more when it was given away. */
  get isReplaced(): boolean {
    return this.#state.ordinals[this.slot] !== this.ordinal;
  }

  get picks(): number {
    return this.#state.picks[this.slot] ?? 0;
  }

  get failures(): number {
    return this.#state.failures[this.slot] ?? 0;
  }

  get current(): number {
    return this.#state.current[this.slot] ?? 0;
  }

  set current(credit: number) {
    this.#state.current[this.slot] = credit;
  }

  get effective(): number {
    return this.#state.effective[this.slot] ?? 0;
  }

  set effective(weight: number) {
    this.#state.effective[this.slot] = weight;
  }

  get cost(): number {
    return this.#state.cost[this.slot] ?? 0;
  }

  set cost(milliseconds: number) {
    this.#state.cost[this.slot] = milliseconds;
  }

  get costAt(): number {
    return this.#state.costAt[this.slot] ?? 0;
  }

  set costAt(milliseconds: number) {
    this.#state.costAt[this.slot] = milliseconds;
  }

  /** One request more in flight; under the lock of the pool. */
  claim(): void {
    this.#state.claim(this.slot);
    this.#state.picks[this.slot] = this.picks + 1;
  }

  /** One of the requests that try it out; under the lock of the pool. */
  takeTrial(): void {
    this.#state.takeTrial(this.slot);
  }

  /** A whole request was sent to it. @param at - in milliseconds of the monotonic clock. */
  sent(at: number): void {
    this.#state.observations.sent(this.slot, at);
  }

  /** A request that was sent at that time waits for no response head any more. */
  settled(at: number): void {
    this.#state.observations.settled(this.slot, at);
  }

  /** @param waitedMs - from the end of the request to a response head that is no failure. */
  answered(waitedMs: number): void {
    this.#state.observations.answered(this.slot, waitedMs);
  }

  /** A response begins, or one is over; see `Observations.answering`. */
  answering(change: 1 | -1): void {
    this.#state.observations.answering(this.slot, change);
  }

  /** Requests whose response has begun. */
  get inProgress(): number {
    return this.#state.observations.inProgress(this.slot);
  }

  /** @param elapsedMs - from the start of an attempt to its response head, whatever it says, or to the timeout. */
  took(elapsedMs: number): void {
    this.#state.latencies.record(this.slot, elapsedMs);
  }

  /** Where the connections to it are counted, under its `slot`. */
  get connectionCounts(): ConnectionCounts {
    return this.#state.connections;
  }

  /** Of all threads together. */
  get connections(): Connections {
    return this.#state.connections.read(this.slot);
  }

  /** What all attempts took, see `LatencyHistograms`; for the main thread. */
  get latencies(): Uint32Array {
    return this.#state.latencies.read(this.slot);
  }

  /** It has answered as one that works, be it with an error of its own. */
  endStreak(): void {
    this.#state.observations.endStreak(this.slot);
  }

  /** @returns how many there are in a row; see `Observations.gatewayError`. */
  gatewayError(startedAt: number, now: number, windowMs: number): number {
    return this.#state.observations.gatewayError(this.slot, startedAt, now, windowMs);
  }

  /** Gateway errors in a row. */
  streak(now: number, windowMs: number): number {
    return this.#state.observations.streak(this.slot, now, windowMs);
  }

  /** Errors of attempts that began before are known; by the main thread. */
  judged(now: number): void {
    this.#state.observations.judged(this.slot, now);
  }

  /** The same, without an overflow; of the main thread alone. The same array every time. */
  get totalLatencies(): Float64Array {
    this.#latencyTotal ??= new LatencyTotal();
    return this.#latencyTotal.update(this.latencies);
  }

  /** What all threads have seen of it; for the main thread. */
  get observed(): Observed {
    return this.#state.observations.read(this.slot);
  }

  /** See `Observations.takeSlowest`. */
  takeSlowest(): number {
    return this.#state.observations.takeSlowest(this.slot);
  }

  /** One request less. */
  unclaim(failed: boolean): void {
    if (failed) Atomics.add(this.#state.failures, this.slot, 1);
    this.#state.release(this.slot); // from here on the place may become another upstream's
  }
}

/** For an upstream that no other thread knows. */
function lonePlace(): UpstreamPlace {
  const allocator = new SlotAllocator(SharedState.create({ upstreams: 1, pools: 1, threads: 0 }));
  return { state: allocator.state, slot: allocator.upstream() };
}
