import type { Alert } from '../alert.ts';

/** What a rule finds at one of its subjects. */
export interface Reading {
  /** A service, an address, a folder. */
  readonly subject: string;
  /** Absent: it is about no service. */
  readonly service?: string;
  /** In the unit of the rule's limit; null: nothing can be said. */
  readonly value: number | null;
  /** The value with what it was taken from, `7.2% of 600 requests in 1 min`; without a value, why there is none. */
  readonly words: string;
  /** Lines for people: what is worst, and what to do next. */
  readonly advice: () => readonly string[];
}

/** One subject of a rule, as it is now. */
export interface RuleView {
  readonly rule: string;
  readonly severity: Alert['severity'];
  readonly subject: string;
  readonly state: 'ok' | 'pending' | 'firing' | 'unknown';
  readonly reading: string;
}
