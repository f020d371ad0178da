/** Age from which latencies, and the health of instances that the registry does not know, are swept away, in milliseconds. */
export const FINDINGS_KEPT_MS = 86_400_000;
/** How long after its end an ejection is kept: nobody may have come to try the instance out. */
export const EJECTION_KEPT_MS = 3_600_000;
/** How many alerts that are over are kept as history. */
export const KEPT_ALERTS = 1_000;
/** Messages older than this, in milliseconds, are no news any more. */
export const MESSAGE_LIMIT_MS = 86_400_000;
