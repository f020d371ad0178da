import { z } from 'zod';

const MS_PER = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES_PER = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const;
/** Longest delay a timer can hold: beyond 2^31 - 1 ms Node fires at once. */
const MAX_DURATION_MS = 2 ** 31 - 1;

/** A duration such as `"500ms"`, `"2s"`, `"1.5m"`, `"1h"`, `"30d"`; parsed to milliseconds. */
export function duration() {
  return z.string().transform((text, context) => {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
    const milliseconds = match ? Number(match[1]) * MS_PER[match[2] as keyof typeof MS_PER] : Number.NaN;
    if (milliseconds > 0 && milliseconds <= MAX_DURATION_MS) return milliseconds;
    context.issues.push({
      code: 'custom',
      input: text,
      message: 'expected a duration above zero and of at most 24 days such as "500ms", "2s", "1m" or "1h"',
    });
    return z.NEVER;
  });
}

/** A size such as `"16kb"` or `"1mb"` (1 kb = 1024 bytes); parsed to bytes. */
export function size() {
  return z.string().transform((text, context) => {
    const match = /^(\d+(?:\.\d+)?)(b|kb|mb|gb)$/i.exec(text);
    const bytes = match
      ? Math.floor(Number(match[1]) * BYTES_PER[match[2]?.toLowerCase() as keyof typeof BYTES_PER])
      : 0;
    if (bytes > 0) return bytes;
    context.issues.push({ code: 'custom', input: text, message: 'expected a size above zero such as "64kb" or "1mb"' });
    return z.NEVER;
  });
}
