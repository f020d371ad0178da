import type { Algorithm } from '../model/algorithms.ts';
import type { Explanation } from './explanation.ts';

/**
 * What an algorithm sees of an upstream. The load balancer owns the object and keeps its identity for as long as the
 * instance lives, so the mutable fields are the algorithm's memory of it: plain numbers, which can live in memory
 * shared between threads.
 */
export interface Candidate {
  readonly id: string;
  /** Grows with every candidate that is made, and is never used again: the same order for all threads. */
  readonly ordinal: number;
  /** 32-bit hash of the id, made once. */
  readonly seed: number;
  /** Above 0. */
  readonly weight: number;
  readonly inFlight: number;
  /** Smooth weighted round robin: the running credit. */
  current: number;
  /** Smooth weighted round robin: the part of the weight that is in force after failures; NaN until first used. */
  effective: number;
  /** Peak EWMA of the time to the response head, in milliseconds; NaN until the first sample. */
  cost: number;
  /** When `cost` was last brought up to date, in milliseconds of the monotonic clock. */
  costAt: number;
}

/** What an algorithm may ask about the request; values are made on demand, because most algorithms need none of them. */
export interface PickContext {
  /** 32-bit hash of the service's hash key for this request. */
  hash(): number;
  /** Id of the upstream that a verified cookie names, if any. */
  affinity(): string | undefined;
  /** Milliseconds of the monotonic clock. */
  now(): number;
}

/** What an attempt told about its upstream. */
export interface Sample {
  /** Milliseconds from the start of the attempt to the response head, or to the failure. */
  readonly elapsed: number;
  /** Connect error, reset, timeout, or a 5xx that says the upstream is broken. */
  readonly failed: boolean;
  /** Milliseconds of the monotonic clock. */
  readonly now: number;
}

/**
 * Picks one of the candidates. Filtering (lifecycle, health, ejection, already tried) happened before, in the pool.
 * The same array is passed as long as the set of candidates is unchanged, in the order of their ordinals.
 */
export interface Balancer {
  readonly algorithm: Algorithm;
  /** Whether `observe` does anything. */
  readonly learns: boolean;
  /** @param candidates - at least one. */
  pick<C extends Candidate>(candidates: readonly C[], context: PickContext): C;
  /**
   * What `pick` would do with the same candidates at the same time, and why; it changes nothing about what is picked, now or later.
   * @param candidates - at least one.
   */
  explain(candidates: readonly Candidate[], context: PickContext): Explanation;
  /** Learns from an attempt that reached its response head or failed before. */
  observe(candidate: Candidate, candidates: readonly Candidate[], sample: Sample): void;
}
