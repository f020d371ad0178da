import { z } from 'zod';
import { HEALTHS } from './health.ts';
import { STATUSES } from './lifecycle.ts';
import type { Told } from './told.ts';

/** An instance as the API shows it. */
export const InstanceViewSchema = z
  .object({
    id: z.string(),
    service: z.string(),
    host: z.string(),
    port: z.int(),
    node: z.string().nullable().describe('Of its manager or agent; null: of the only one there is.'),
    url: z.string(),
    pid: z.int().nullable(),
    status: z.enum(STATUSES),
    health: z.enum(HEALTHS),
    weight: z.int().describe('Its share of the requests, in proportion to those of the others.'),
    version: z.string().nullable(),
    startedAt: z.string().nullable().describe('ISO 8601.'),
    restarts: z.int().describe('How often it was started again after a fault.'),
    agent: z
      .object({ id: z.string(), metadata: z.record(z.string(), z.string()) })
      .exactOptional()
      .describe('Who announced it; absent when no agent did.'),
    memory: z.number().exactOptional().describe('Bytes; absent when it is not known.'),
    cpu: z.number().exactOptional().describe('Percent of one core; absent when it is not known.'),
    lastError: z.string().exactOptional().describe('Why it was restarted last, or could not be.'),
  })
  .meta({ id: 'Instance' });
export type InstanceView = Told<z.infer<typeof InstanceViewSchema>>;
