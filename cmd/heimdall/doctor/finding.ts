/** `hint`: could be better; `warning`: will hurt some day; `broken`: does not work, or not for long. */
export type Level = 'well' | 'hint' | 'warning' | 'broken';

/** What a check has found. */
export interface Finding {
  readonly level: Level;
  /** What was looked at, in a word or two. */
  readonly about: string;
  readonly message: string;
  /** What to do; absent when all is well. */
  readonly advice?: string;
}

export function well(about: string, message: string): Finding {
  return { level: 'well', about, message };
}
