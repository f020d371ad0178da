/** How many routes may have a limit of their own, in all services together. */
export const MAX_RATE_LIMITS = 4_096;
