import type { Upstream } from './upstream.ts';

/** Why an upstream is as it is, in words: `status 503`, `6 gateway errors in a row; no requests before 2026-11-21T15:04:05Z`. */
export function conditionCause({ condition, standing, ejection, healthCause }: Upstream): string {
  if (condition !== 'ejected' || ejection === null) return healthCause;
  if (standing === 'on-trial') return `${ejection.cause}; a few requests try it out`;
  return `${ejection.cause}; no requests before ${new Date(ejection.until).toISOString().replace(/\.\d+/, '')}`;
}
