import type { Ejection, Standing } from '../model/ejection.ts';
import type { Health } from '../model/health.ts';

/** What checks and requests together say of an instance. */
export interface Findings {
  readonly condition: Health;
  /** By requests alone. */
  readonly standing: Standing;
  readonly ejection: Ejection | null;
  /** By checks alone, in words. */
  readonly healthCause: string;
}

/** Why an instance is as it is, in words: `status 503`, `6 gateway errors in a row; no requests before 2026-11-21T15:04:05Z`. */
export function conditionCause({ condition, standing, ejection, healthCause }: Findings): string {
  if (condition !== 'ejected' || ejection === null) return healthCause;
  if (standing === 'on-trial') return `${ejection.cause}; a few requests try it out`;
  return `${ejection.cause}; no requests before ${new Date(ejection.until).toISOString().replace(/\.\d+/, '')}`;
}
