import { z } from 'zod';
import { ReleaseViewSchema } from './release.ts';
import { ALGORITHMS } from './service.ts';
import { DeploymentViewSchema } from './deployment-view.ts';
import { InstanceViewSchema } from './instance-view.ts';

/** How one service fares. */
export const ServiceStatusSchema = z.object({
  name: z.string(),
  algorithm: z.enum(ALGORITHMS),
  desired: z.int(),
  starting: z.int(),
  running: z.int(),
  draining: z.int(),
  /** Waiting to be started again after a fault. */
  error: z.int(),
  /** Listed under `servers` in the configuration, not spawned. */
  declared: z.int(),
});
export type ServiceStatus = Readonly<z.infer<typeof ServiceStatusSchema>>;

/** A service as the API shows it: how it fares, and what is in force. */
export const ServiceViewSchema = ServiceStatusSchema.extend({
  /** Requests that one instance may have in flight; null: no limit. */
  maxConnections: z.int().nullable(),
  /** Of new instances. */
  weight: z.int(),
  /** What was set by hand and is not as configured. */
  overridden: z.array(z.string()),
  version: z.string().nullable(),
  release: ReleaseViewSchema,
  /** The deployment that is under way; null: none. */
  deploying: z.int().nullable(),
  /** ISO 8601; null: it is not paused. */
  pausedSince: z.string().nullable(),
});
export type ServiceView = Readonly<z.infer<typeof ServiceViewSchema>>;

const RouteViewSchema = z.object({
  host: z.string(),
  path: z.string(),
  /** Null: as many requests as come. */
  rateLimit: z
    .object({
      requests: z.int(),
      /** In seconds, as `"60s"`. */
      per: z.string(),
      burst: z.int(),
      key: z.string(),
    })
    .nullable(),
});
export type RouteView = Readonly<z.infer<typeof RouteViewSchema>>;

export const ServiceDetailsViewSchema = ServiceViewSchema.extend({
  routes: z.array(RouteViewSchema),
  /** What a deployment may choose. */
  versions: z.array(z.string()),
  instances: z.array(InstanceViewSchema),
  /** The latest, newest first. */
  deployments: z.array(DeploymentViewSchema),
});
export type ServiceDetailsView = Readonly<z.infer<typeof ServiceDetailsViewSchema>>;
