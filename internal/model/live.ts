import { z } from 'zod';
import { AlertViewSchema, SilenceViewSchema } from './alert-view.ts';
import { DeploymentDetailsViewSchema } from './deployment-view.ts';
import { EventViewSchema } from './event-view.ts';
import { InstanceViewSchema } from './instance-view.ts';
import { LoadBalancerViewSchema } from './manager-status.ts';
import { NodeViewSchema } from './node-view.ts';
import { ServiceViewSchema } from './service-view.ts';
import type { Told } from './told.ts';

const FigureSchema = z.number().nullable();

/** Traffic of the last seconds, over all load balancers; figures have three significant digits. */
const TrafficSchema = z
  .object({
    rps: z.number().describe('Requests that ended, per second; of an instance: attempts.'),
    errorRate: FigureSchema.describe('The share of them that failed, 0 to 1; null when none ended.'),
    p50: FigureSchema.describe('Milliseconds to the response head, here and below; null when nobody answered.'),
    p95: FigureSchema,
    p99: FigureSchema,
    inFlight: z.int().describe('On instances.'),
  })
  .meta({ id: 'Traffic' });
export type Traffic = Told<z.infer<typeof TrafficSchema>>;

const LiveInstanceSchema = InstanceViewSchema.extend({
  healthCause: z.string().describe('Why the health is what it is, in words; empty when nothing is known.'),
  drain: z
    .object({
      since: z.string().describe('ISO 8601, as is the other.'),
      until: z.string().describe('When at the latest it is told to stop, or is being stopped.'),
      inFlight: z.int(),
    })
    .nullable(),
  traffic: TrafficSchema,
}).meta({ id: 'LiveInstance' });
export type LiveInstance = Told<z.infer<typeof LiveInstanceSchema>>;

const LiveServiceSchema = ServiceViewSchema.extend({
  waiting: z.int().describe('Requests that wait: there is no instance, all are full, or the service is paused.'),
  traffic: TrafficSchema,
}).meta({ id: 'LiveService' });
export type LiveService = Told<z.infer<typeof LiveServiceSchema>>;

const StateShape = {
  version: z.string(),
  revision: z.int().nullable().describe('Null: the registry cannot be read; the rest is what was known last.'),
  loadBalancers: z
    .array(LoadBalancerViewSchema)
    .describe('Ages of heartbeats are in whole seconds, and 0 up to two of them.'),
  nodes: z.array(NodeViewSchema).describe('By name.'),
  services: z.array(LiveServiceSchema).describe('In the order of the configuration.'),
  instances: z.array(LiveInstanceSchema).describe('By service, host and port.'),
  deployments: z
    .array(DeploymentDetailsViewSchema)
    .describe(
      'Those that are not over, and those that ended in the last 15 minutes; newest first, with their last hundred steps.',
    ),
  alerts: z
    .array(AlertViewSchema)
    .describe(
      'The active ones and those that were resolved within the hour, newest first; durations are as of when they were told.',
    ),
  silences: z.array(SilenceViewSchema),
  events: z.array(EventViewSchema).describe('The latest, newest first.'),
};
const AtSchema = z.string().describe("ISO 8601, by the manager's clock.");

/** All that there is to see now. */
export const LiveStateSchema = z.object({ at: AtSchema, ...StateShape }).meta({ id: 'LiveState' });
export type LiveState = Told<z.infer<typeof LiveStateSchema>>;
export type LiveDeployment = LiveState['deployments'][number];

/** Figures at equal distances, oldest first; null where nothing is known. Empty: nothing is known at all. */
const SeriesSchema = z.array(FigureSchema);
export type Series = Told<z.infer<typeof SeriesSchema>>;

/** What the last 15 minutes looked like. */
export const LiveHistorySchema = z
  .object({
    until: z.number().describe('Of the last point, in epoch milliseconds: each point is of the time that ends there.'),
    stepMs: z.number().describe('Between two points.'),
    services: z.record(
      z.string(),
      z.object({
        rps: SeriesSchema,
        errorRate: SeriesSchema,
        p50: SeriesSchema,
        p95: SeriesSchema,
        p99: SeriesSchema,
        inFlight: SeriesSchema,
      }),
    ),
    instances: z.record(
      z.string(),
      z.object({
        rps: SeriesSchema,
        errorRate: SeriesSchema,
        p99: SeriesSchema,
        cpu: SeriesSchema,
        memory: SeriesSchema,
      }),
    ),
  })
  .meta({ id: 'LiveHistory' });
export type LiveHistory = Told<z.infer<typeof LiveHistorySchema>>;

/** What changes most about an instance; what is absent stayed as it was. */
const FiguresSchema = z.object({
  traffic: TrafficSchema.exactOptional(),
  cpu: z.number().exactOptional(),
  memory: z.number().exactOptional(),
});
export type LiveFigures = Told<z.infer<typeof FiguresSchema>>;

/**
 * What changed since the message before; what is absent stayed as it was. Lists replace whole lists; services and instances
 * are told one by one. `after` in `live-after.ts` makes the next state of it. One comes every second, whatever happens: who
 * hears none for some seconds knows that what he shows is stale.
 */
export const LiveTickSchema = z
  .object({
    at: AtSchema,
    version: StateShape.version.exactOptional(),
    revision: StateShape.revision.exactOptional(),
    loadBalancers: StateShape.loadBalancers.exactOptional(),
    nodes: StateShape.nodes.exactOptional(),
    services: z
      .array(LiveServiceSchema)
      .exactOptional()
      .describe('Those of which anything changed; all of them, in order, when one came or their order is another.'),
    instances: z
      .array(LiveInstanceSchema)
      .exactOptional()
      .describe('Those that are new, or of which more changed than figures.'),
    figures: z
      .record(z.string(), FiguresSchema)
      .exactOptional()
      .describe('By id, of instances of which nothing else changed.'),
    gone: z
      .array(z.string())
      .exactOptional()
      .describe('Names of services and ids of instances that there are no more.'),
    deployments: StateShape.deployments.exactOptional(),
    alerts: StateShape.alerts.exactOptional(),
    silences: StateShape.silences.exactOptional(),
    events: z.array(EventViewSchema).exactOptional().describe('New ones, newest first.'),
  })
  .meta({ id: 'LiveTick' });
export type LiveTick = Told<z.infer<typeof LiveTickSchema>>;
export type LiveChange = Omit<LiveTick, 'at'>;

/**
 * The events of the stream `GET /live`: `state` and `history` come first, then a `tick` every second. Whoever takes more than
 * a second for one gets no ticks meanwhile, and a whole `state` when he can take more.
 */
export interface LiveMessages {
  readonly state: LiveState;
  readonly history: LiveHistory;
  readonly tick: LiveTick;
}
