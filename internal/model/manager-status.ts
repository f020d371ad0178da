import { z } from 'zod';
import { NodeViewSchema } from './node-view.ts';
import { ServiceStatusSchema } from './service-view.ts';
import type { Told } from './told.ts';

/** A load balancer as the manager sees it. */
export const LoadBalancerViewSchema = z
  .object({
    id: z.string(),
    pid: z.int(),
    startedAt: z.string().describe('ISO 8601.'),
    appliedRevision: z
      .int()
      .nullable()
      .describe('Every change up to this revision is in force there; null before its first picture.'),
    heartbeatAgeMs: z.number(),
    alive: z.boolean(),
  })
  .meta({ id: 'LoadBalancer' });
export type LoadBalancerView = Told<z.infer<typeof LoadBalancerViewSchema>>;

/** The manager, and a summary of what it manages. */
export const ManagerStatusSchema = z
  .object({
    status: z.literal('ok'),
    version: z.string(),
    pid: z.int(),
    startedAt: z.string().describe('ISO 8601.'),
    uptimeMs: z.number(),
    registry: z.object({ revision: z.int() }),
    services: z.array(ServiceStatusSchema),
    loadBalancers: z.array(LoadBalancerViewSchema),
    nodes: z.array(NodeViewSchema),
  })
  .meta({ id: 'ManagerStatus' });
export type ManagerStatus = Told<z.infer<typeof ManagerStatusSchema>>;
