/** What the backends can do, and what is asked of them. The candidates that are told nothing have to find it out. */
export const BACKENDS = 2;
/** Requests that one backend works on at a time. */
export const WORKERS = 8;
/** Mean time that one takes when no more than that are there. */
export const SERVICE_MS = 40;
/** Requests per second of all backends together. */
export const CAPACITY = (BACKENDS * WORKERS * 1_000) / SERVICE_MS;
/** In multiples of the capacity. */
export const CALM = 0.5;
export const OVERLOAD = 2;
/** When a client gives up. */
export const PATIENCE_MS = 2_000;
/** Where a limit is set by hand: the workers, and a few that are on their way. */
export const TOLD = WORKERS + 2;

export const SCENARIOS = [
  { name: 'queue', title: 'What a backend cannot work on waits there, for as long as it takes' },
  { name: 'contention', title: 'Everything that a backend has makes everything else slower: its throughput falls' },
] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** Seconds. */
export interface Pace {
  readonly calm: number;
  readonly overload: number;
  /** How much of the overload is over before it is measured. */
  readonly settle: number;
  readonly recovery: number;
}

export const FULL: Pace = { calm: 4, overload: 15, settle: 5, recovery: 12 };
export const QUICK: Pace = { calm: 3, overload: 8, settle: 4, recovery: 5 };
