import { z } from 'zod';

const MS_PER: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as `"500ms"`, `"10s"`, `"1m"`, `"2h"` or `"14d"`, above zero; parsed to milliseconds. */
export function milliseconds(max: number, expected: string, min = 0) {
  return z.string(expected).transform((text, context) => {
    const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
    const length = Math.round(Number(amount) * (MS_PER[unit] ?? Number.NaN));
    if (length > 0 && length >= min && length <= max) return length;
    context.issues.push({ code: 'custom', input: text, message: expected });
    return z.NEVER;
  });
}

/** A share such as `"5%"` or `"0.5%"`, below 100%; parsed to 0.05. */
export function share(expected: string) {
  return z.string(expected).transform((text, context) => {
    const [, amount] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
    const percent = Number(amount);
    if (percent < 100) return percent / 100;
    context.issues.push({ code: 'custom', input: text, message: expected });
    return z.NEVER;
  });
}
