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
