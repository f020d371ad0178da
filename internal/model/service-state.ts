import { z } from 'zod';
import { WeightSchema } from './units.ts';
import { FIRST_RELEASE, ReleaseSchema } from './release.ts';
import { ALGORITHMS } from './algorithms.ts';
import { MaxConnectionsSchema, type Service } from './service.ts';

/** Set by hand; in force as long as the configuration still says what it said then. */
function override<T extends z.ZodType>(value: T) {
  return z.object({ value, over: value });
}

/** What was set by hand in place of the configuration. */
export const OverridesSchema = z.object({
  algorithm: override(z.enum(ALGORITHMS)).optional(),
  maxConnections: override(MaxConnectionsSchema).optional(),
  /** Of new instances. */
  weight: WeightSchema.optional(),
});
export type Overrides = z.infer<typeof OverridesSchema>;

/** What the manager keeps of a service besides its configuration. */
export const ServiceStateSchema = z.object({
  service: z.string(),
  /** How many instances should run. Changed by adding, removing and scaling; survives the manager. */
  desired: z.int().min(0),
  /** The `instances` of the configuration when `desired` was last taken from it. */
  configured: z.int().min(0),
  /** What new instances run. */
  release: ReleaseSchema,
  overrides: OverridesSchema,
  /** Since when new requests are held, in epoch milliseconds; null: they are not. */
  pausedSince: z.int().nullable(),
  /** What the schedule asked for last; null: nothing yet. */
  scheduled: z.int().min(0).nullable(),
  /** The deployment under way; null: there is none. */
  deploying: z.int().min(1).nullable(),
});
export type ServiceState = z.infer<typeof ServiceStateSchema>;

/** Of a service that nothing is kept of yet. */
export function newServiceState(service: string): ServiceState {
  return {
    service,
    desired: 0,
    configured: 0,
    release: FIRST_RELEASE,
    overrides: {},
    pausedSince: null,
    scheduled: null,
    deploying: null,
  };
}

/** The settings that are in force: the configuration, but for what was set by hand since. */
export function settingsInForce(service: Service, state: Pick<ServiceState, 'overrides'> | undefined): Service {
  const { algorithm, maxConnections } = state?.overrides ?? {};
  return {
    ...service,
    ...(algorithm?.over === service.algorithm ? { algorithm: algorithm.value } : {}),
    ...(maxConnections !== undefined && maxConnections.over === service.maxConnections
      ? { maxConnections: maxConnections.value }
      : {}),
  };
}
