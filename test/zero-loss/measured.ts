import type { Count } from './failures.ts';

/** What came of the run of one peer. */
export interface Measured {
  readonly peer: string;
  readonly about: string;
  readonly version: string;
  /** By kind of visit. */
  readonly visits: Readonly<Record<string, { readonly all: number; readonly failed: number }>>;
  /** How often each was done. */
  readonly acts: Readonly<Record<string, number>>;
  /** Acts that it cannot do, or not without a gap that is known before. */
  readonly leftOut: readonly string[];
  readonly failures: readonly Count[];
  /** What went wrong with an act, and whatever is not well at the end. */
  readonly faults: readonly string[];
  /** The first failures, each in words. */
  readonly examples: readonly string[];
}
