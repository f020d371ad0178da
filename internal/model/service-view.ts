import { z } from 'zod';
import type { Told } from './told.ts';
import { ReleaseViewSchema } from './release.ts';
import { ALGORITHMS } from './algorithms.ts';
import { DeploymentViewSchema } from './deployment-view.ts';
import { InstanceViewSchema } from './instance-view.ts';

/** How one service fares. */
export const ServiceStatusSchema = z
  .object({
    name: z.string(),
    algorithm: z.enum(ALGORITHMS),
    desired: z.int().describe('How many spawned instances there shall be.'),
    starting: z.int(),
    running: z.int(),
    draining: z.int(),
    error: z.int().describe('Waiting to be started again after a fault.'),
    declared: z.int().describe('Listed under `servers` in the configuration, not spawned.'),
    announced: z.int().describe('That agents have announced and stand for, up or down; not spawned either.'),
  })
  .meta({ id: 'ServiceStatus' });
export type ServiceStatus = Told<z.infer<typeof ServiceStatusSchema>>;

/** A service as the API shows it: how it fares, and what is in force. */
export const ServiceViewSchema = ServiceStatusSchema.extend({
  spawned: z.boolean().describe('Whether heimdall starts instances of it: it has a command.'),
  maxConnections: z.int().nullable().describe('Requests that one instance may have in flight; null: no limit.'),
  weight: z.int().describe('Of new instances.'),
  overridden: z.array(z.string()).describe('What was set by hand and is not as configured.'),
  version: z.string().nullable(),
  release: ReleaseViewSchema,
  deploying: z.int().nullable().describe('The deployment that is under way; null: none.'),
  pausedSince: z.string().nullable().describe('ISO 8601; null: it is not paused.'),
}).meta({ id: 'Service' });
export type ServiceView = Told<z.infer<typeof ServiceViewSchema>>;

const RouteViewSchema = z.object({
  host: z.string(),
  path: z.string(),
  rateLimit: z
    .object({
      requests: z.int(),
      per: z.string().describe('In seconds, as `"60s"`.'),
      burst: z.int(),
      key: z.string(),
    })
    .nullable()
    .describe('Null: as many requests as come.'),
});
export type RouteView = Told<z.infer<typeof RouteViewSchema>>;

export const ServiceDetailsViewSchema = ServiceViewSchema.extend({
  routes: z.array(RouteViewSchema),
  versions: z.array(z.string()).describe('What a deployment may choose.'),
  instances: z.array(InstanceViewSchema),
  deployments: z.array(DeploymentViewSchema).describe('The latest, newest first.'),
}).meta({ id: 'ServiceDetails' });
export type ServiceDetailsView = Told<z.infer<typeof ServiceDetailsViewSchema>>;
