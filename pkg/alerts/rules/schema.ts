import { z } from 'zod';
import { SEVERITIES } from '../alert.ts';
import { milliseconds, share } from '../units.ts';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

const SHARE_EXPECTED = 'expected a share such as "5%", of less than 100%';
const LIMIT_EXPECTED = 'expected a duration such as "800ms" or "2s", above zero and below 1 minute';
/** Whatever takes longer counts as a minute: a limit of that would never be exceeded. */
const LONGEST_LIMIT_MS = 59_999;
const FOR_EXPECTED = 'expected a duration such as "30s" or "5m", above zero and of at most 24 hours';
const WINDOW_EXPECTED = 'expected a duration from "10s" to "10m"';
const COUNT_EXPECTED = 'expected a whole number from 0 to 100000';
const LONG_WINDOW_EXPECTED = 'expected a duration from "1m" to "24h"';
const LEFT_EXPECTED = 'expected a duration such as "14d", above zero and of at most 365 days';
const ADDRESS_EXPECTED = 'expected an address such as "example.com:443"';
const HIGHEST_PORT = 65_535;

/** What every rule may say besides. */
const COMMON = {
  /** For people; a rule with a name stays the same alert when its limit changes. */
  name: z.string().trim().min(1).max(80).optional(),
  severity: z.enum(SEVERITIES, { error: 'expected "critical", "warning" or "info"' }).default('warning'),
};
/** Only these services; empty: each of them. */
const SERVICES = { services: z.array(z.string().min(1)).default([]) };

/** How long it must be so before anybody is told, and otherwise before it is over; milliseconds once parsed. */
function lasting() {
  return milliseconds(DAY_MS, FOR_EXPECTED);
}

/** How far back requests are looked at. */
function recent() {
  return milliseconds(600 * SECOND_MS, WINDOW_EXPECTED, 10 * SECOND_MS);
}

/** What a person wants to be told of, as it reads aloud: when the p99 is above 800ms for 5m. Shares are fractions once parsed. */
export const AlertRuleSchema = z.discriminatedUnion(
  'when',
  [
    z.strictObject({
      /** The share of requests that failed for their clients. */
      when: z.literal('error-rate'),
      above: share(SHARE_EXPECTED),
      over: recent().prefault('1m'),
      for: lasting().prefault('1m'),
      ...SERVICES,
      ...COMMON,
    }),
    z.strictObject({
      /** The time to the response head that 99 of 100 attempts did not exceed. */
      when: z.literal('p99'),
      above: milliseconds(LONGEST_LIMIT_MS, LIMIT_EXPECTED),
      over: recent().prefault('1m'),
      for: lasting().prefault('1m'),
      ...SERVICES,
      ...COMMON,
    }),
    z.strictObject({
      /** How much of `maxConnections`, or of the queue, is in use. */
      when: z.literal('saturation'),
      above: share(SHARE_EXPECTED),
      for: lasting().prefault('1m'),
      ...SERVICES,
      ...COMMON,
    }),
    z.strictObject({
      /** The share of instances that are down or ejected. */
      when: z.literal('unhealthy'),
      above: share(SHARE_EXPECTED),
      for: lasting().prefault('30s'),
      ...SERVICES,
      ...COMMON,
    }),
    z.strictObject({
      /** How often instances ended unexpectedly, or did not start. */
      when: z.literal('restarts'),
      above: z.int(COUNT_EXPECTED).min(0, COUNT_EXPECTED).max(100_000, COUNT_EXPECTED),
      over: milliseconds(DAY_MS, LONG_WINDOW_EXPECTED, 60 * SECOND_MS).prefault('10m'),
      for: lasting().optional(),
      ...SERVICES,
      ...COMMON,
    }),
    z.strictObject({
      /** How long a certificate is still valid. */
      when: z.literal('certificate'),
      /** Absent: those of the instances of services whose health checks use HTTPS. */
      of: address().optional(),
      below: milliseconds(365 * DAY_MS, LEFT_EXPECTED),
      for: lasting().optional(),
      ...COMMON,
    }),
    z.strictObject({
      /** How full a file system is. */
      when: z.literal('disk'),
      /** Any folder on it; absent: the folder of the registry. */
      of: z.string().min(1).optional(),
      above: share(SHARE_EXPECTED),
      for: lasting().optional(),
      ...COMMON,
    }),
  ],
  { error: 'expected "error-rate", "p99", "saturation", "unhealthy", "restarts", "certificate" or "disk"' },
);
export type AlertRule = z.infer<typeof AlertRuleSchema>;

/** The rule of that kind. */
export type RuleOf<K extends AlertRule['when']> = Extract<AlertRule, { readonly when: K }>;

/** `example.com:443` or `[::1]:443`; parsed to host and port, 443 by default. */
function address() {
  return z.string(ADDRESS_EXPECTED).transform((text, context) => {
    const [, bracketed, plain, digits = '443'] =
      /^(?:\[([0-9a-f:.]+)\]|([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?))(?::(\d{1,5}))?$/i.exec(text) ?? [];
    const host = bracketed ?? plain;
    const port = Number(digits);
    if (host !== undefined && port >= 1 && port <= HIGHEST_PORT) return { host, port };
    context.issues.push({ code: 'custom', input: text, message: ADDRESS_EXPECTED });
    return z.NEVER;
  });
}
