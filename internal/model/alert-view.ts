import { z } from 'zod';
import type { Told } from './told.ts';

/** An alert as the API shows it; times are ISO 8601. */
export const AlertViewSchema = z
  .object({
    id: z.string(),
    key: z.string().describe('The same key is the same trouble.'),
    state: z.enum(['active', 'resolved']),
    severity: z.enum(['critical', 'warning', 'info']),
    title: z.string(),
    cause: z.string().nullable(),
    service: z.string().nullable(),
    instance: z.string().nullable(),
    node: z.string().nullable().describe('The machine that it is about, where there are several.'),
    since: z.string().describe('ISO 8601.'),
    resolvedAt: z.string().nullable().describe('ISO 8601; null: it holds.'),
    durationMs: z.int(),
    announced: z.boolean().describe('A message has told people of it.'),
    silenced: z.boolean(),
    acknowledged: z.object({ at: z.string(), by: z.string(), comment: z.string() }).nullable(),
  })
  .meta({ id: 'Alert' });
export type AlertView = Told<z.infer<typeof AlertViewSchema>>;

/** For a time, nobody is told of alerts that agree with all of `match`; times are ISO 8601. */
export const SilenceViewSchema = z
  .object({
    id: z.int(),
    match: z.object({
      key: z.string().exactOptional(),
      service: z.string().exactOptional(),
      instance: z.string().exactOptional(),
      node: z.string().exactOptional(),
      severity: z.string().exactOptional(),
    }),
    createdAt: z.string().describe('ISO 8601.'),
    until: z.string().describe('ISO 8601.'),
    by: z.string(),
    comment: z.string(),
  })
  .meta({ id: 'Silence' });
export type SilenceView = Told<z.infer<typeof SilenceViewSchema>>;

/** A webhook that came through the API; of its URL no more than whom it leads to, for the rest is a key to somebody's door. */
export const ChannelViewSchema = z
  .object({
    name: z.string(),
    target: z.string().describe('Whom it leads to, such as `https://example.org`.'),
    format: z.string(),
    severity: z.enum(['critical', 'warning', 'info']).describe('It is told of this and what is worse.'),
    services: z.array(z.string()).describe('Empty: all.'),
    at: z.string().describe('ISO 8601.'),
    by: z.string(),
  })
  .meta({ id: 'Channel' });
export type ChannelView = Told<z.infer<typeof ChannelViewSchema>>;

/** One subject of a rule, as it is now. */
export const RuleViewSchema = z
  .object({
    rule: z.string(),
    severity: z.enum(['critical', 'warning', 'info']),
    subject: z.string().describe('A service, an address, a folder.'),
    state: z.enum(['ok', 'pending', 'firing', 'unknown']),
    reading: z.string().describe('The value in words, or why there is none.'),
  })
  .meta({ id: 'Rule' });
export type RuleView = Told<z.infer<typeof RuleViewSchema>>;

/** How a trial alert fared on one channel. */
export const TestResultViewSchema = z
  .object({
    channel: z.string(),
    ok: z.boolean(),
    error: z.string().exactOptional(),
    durationMs: z.int(),
  })
  .meta({ id: 'TestResult' });
export type TestResultView = Told<z.infer<typeof TestResultViewSchema>>;
