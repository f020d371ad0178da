import { z } from 'zod';
import { HEALTHS } from './health.ts';
import { STATUSES } from './lifecycle.ts';

/** An instance as the API shows it. */
export const InstanceViewSchema = z.object({
  id: z.string(),
  service: z.string(),
  host: z.string(),
  port: z.int(),
  url: z.string(),
  pid: z.int().nullable(),
  status: z.enum(STATUSES),
  health: z.enum(HEALTHS),
  weight: z.int(),
  version: z.string().nullable(),
  /** ISO 8601. */
  startedAt: z.string().nullable(),
  restarts: z.int(),
  /** Bytes; this and the following are only present when there is something to tell. */
  memory: z.number().exactOptional(),
  /** Percent of one core. */
  cpu: z.number().exactOptional(),
  lastError: z.string().exactOptional(),
});
export type InstanceView = Readonly<z.infer<typeof InstanceViewSchema>>;
