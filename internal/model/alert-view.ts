import { z } from 'zod';

/** An alert as the API shows it; times are ISO 8601. */
export const AlertViewSchema = z.object({
  id: z.string(),
  /** The same key is the same trouble. */
  key: z.string(),
  state: z.enum(['active', 'resolved']),
  severity: z.enum(['critical', 'warning', 'info']),
  title: z.string(),
  cause: z.string().nullable(),
  service: z.string().nullable(),
  instance: z.string().nullable(),
  since: z.string(),
  resolvedAt: z.string().nullable(),
  durationMs: z.int(),
  /** A message has told people of it. */
  announced: z.boolean(),
  silenced: z.boolean(),
  acknowledged: z.object({ at: z.string(), by: z.string(), comment: z.string() }).nullable(),
});
export type AlertView = Readonly<z.infer<typeof AlertViewSchema>>;

/** For a time, nobody is told of alerts that agree with all of `match`; times are ISO 8601. */
export const SilenceViewSchema = z.object({
  id: z.int(),
  match: z.object({
    key: z.string().exactOptional(),
    service: z.string().exactOptional(),
    instance: z.string().exactOptional(),
    severity: z.string().exactOptional(),
  }),
  createdAt: z.string(),
  until: z.string(),
  by: z.string(),
  comment: z.string(),
});
export type SilenceView = Readonly<z.infer<typeof SilenceViewSchema>>;

/** A webhook that came through the API; of its URL no more than whom it leads to, for the rest is a key to somebody's door. */
export const ChannelViewSchema = z.object({
  name: z.string(),
  target: z.string(),
  format: z.string(),
  /** It is told of this and what is worse. */
  severity: z.enum(['critical', 'warning', 'info']),
  /** Empty: all. */
  services: z.array(z.string()),
  /** ISO 8601. */
  at: z.string(),
  by: z.string(),
});
export type ChannelView = Readonly<z.infer<typeof ChannelViewSchema>>;

/** One subject of a rule, as it is now. */
export const RuleViewSchema = z.object({
  rule: z.string(),
  severity: z.enum(['critical', 'warning', 'info']),
  /** A service, an address, a folder. */
  subject: z.string(),
  state: z.enum(['ok', 'pending', 'firing', 'unknown']),
  /** The value in words, or why there is none. */
  reading: z.string(),
});
export type RuleView = Readonly<z.infer<typeof RuleViewSchema>>;

/** How a trial alert fared on one channel. */
export const TestResultViewSchema = z.object({
  channel: z.string(),
  ok: z.boolean(),
  error: z.string().exactOptional(),
  durationMs: z.int(),
});
export type TestResultView = Readonly<z.infer<typeof TestResultViewSchema>>;
