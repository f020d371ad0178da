import { z } from 'zod';

const MS_PER: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES_PER: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };
/** Longest delay a timer can hold: beyond 2^31 - 1 ms Node fires at once. */
const MAX_DURATION_MS = 2 ** 31 - 1;

const DURATION_EXPECTED = 'expected a duration such as "500ms", "2s", "1m" or "1h", above zero and of at most 24 days';
const SIZE_EXPECTED = 'expected a size such as "64kb" or "1mb", above zero';

/** A duration such as `"500ms"`, `"2s"`, `"1.5m"`, `"1h"`, `"3d"`; parsed to milliseconds. */
export function duration() {
  return z.string(DURATION_EXPECTED).transform((text, context) => {
    const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
    const milliseconds = Number(amount) * (MS_PER[unit] ?? Number.NaN);
    if (milliseconds > 0 && milliseconds <= MAX_DURATION_MS) return milliseconds;
    context.issues.push({ code: 'custom', input: text, message: DURATION_EXPECTED });
    return z.NEVER;
  });
}

/** A size such as `"16kb"` or `"1mb"` (1 kb = 1024 bytes); parsed to bytes. */
export function size() {
  return z.string(SIZE_EXPECTED).transform((text, context) => {
    const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(b|kb|mb|gb)$/i.exec(text) ?? [];
    const bytes = Math.floor(Number(amount) * (BYTES_PER[unit.toLowerCase()] ?? Number.NaN));
    if (bytes > 0) return bytes;
    context.issues.push({ code: 'custom', input: text, message: SIZE_EXPECTED });
    return z.NEVER;
  });
}

/** Both ends included. */
export function wholeNumber(min: number, max: number) {
  const expected = `expected a whole number from ${min} to ${max}`;
  return z.int(expected).min(min, expected).max(max, expected);
}

export const PortSchema = wholeNumber(1, 65_535);
export const WeightSchema = wholeNumber(1, 1_000);
