/** How an algorithm sees its candidates for one pick, and whom it takes. */
export interface Explanation {
  /** Index of the candidate that is picked. */
  readonly winner: number;
  /** What decided, in words. */
  readonly rule: string;
  /** What the scores are, with their unit. */
  readonly meaning: string;
  /** Whether the smallest score is preferred, or the largest. */
  readonly better: 'less' | 'more';
  /** By the index of the candidate; NaN: it has none for this pick, and `rule` says why. */
  readonly scores: readonly number[];
  /** The scores hang on the request, so that they say nothing about another one. */
  readonly ofRequest: boolean;
}
