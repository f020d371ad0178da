import { z } from 'zod';
import { type AddedChannel, WebhookSpecSchema } from '../../../pkg/alerts/added-channel.ts';
import { SilenceMatchSchema, type Acknowledgement, type Silence } from '../../../pkg/alerts/book.ts';
import { NotificationSchema, OutageSchema } from '../../../pkg/alerts/store.ts';
import type { EjectionRecord } from '../../model/ejection.ts';
import { DeploymentSchema } from '../../model/deployment.ts';
import { EVENT_TYPES, type HeimdallEvent } from '../../model/event.ts';
import { HEALTHS } from '../../model/health.ts';
import { InstanceSchema } from '../../model/instance.ts';
import { NodeNoteSchema } from '../../model/node.ts';
import { ReleaseSchema } from '../../model/release.ts';
import { OverridesSchema } from '../../model/service-state.ts';
import type { DemandRecord, LatencyRecord, TrafficRecord } from '../registry.ts';
import { Form } from './parse.ts';

const InstanceEntrySchema = z.object({
  instance: InstanceSchema,
  /** In which revision the instance was made; null: in that of the key. */
  since: z.int().nullable(),
  /** Among those made in the same revision. */
  place: z.int(),
});
export type InstanceEntry = z.infer<typeof InstanceEntrySchema>;

const OwnServiceSchema = z.object({
  service: z.string(),
  desired: z.int().min(0),
  configured: z.int().min(0),
  release: ReleaseSchema,
  scheduled: z.int().min(0).nullable(),
});
export type OwnService = z.infer<typeof OwnServiceSchema>;

const SharedServiceSchema = z.object({
  service: z.string(),
  overrides: OverridesSchema,
  pausedSince: z.int().nullable(),
});

const ManagerSchema = z.object({
  node: z.string(),
  pid: z.int(),
  host: z.string(),
  /** See `processPlace`. */
  place: z.string(),
  startedAt: z.int(),
  /** Tells this manager from others with its name. */
  token: z.string(),
});
export type ManagerEntry = z.infer<typeof ManagerSchema>;

const NodeSchema = z.object({ pid: z.int(), startedAt: z.int(), seenAt: z.int(), note: NodeNoteSchema });

const TrafficSchema = z.object({
  instanceId: z.string(),
  incarnation: z.string(),
  requests: z.int(),
  failures: z.int(),
  inFlight: z.int(),
}) satisfies z.ZodType<TrafficRecord>;

const DemandSchema = z.object({
  service: z.string(),
  waiting: z.int(),
  requests: z.int(),
}) satisfies z.ZodType<DemandRecord>;

const ProxySchema = z.object({
  id: z.string(),
  pid: z.int(),
  node: z.string().nullable().default(null),
  startedAt: z.int(),
  appliedRevision: z.int().nullable(),
  inFlight: z.record(z.string(), z.int()),
  traffic: z.array(TrafficSchema),
  demand: z.array(DemandSchema),
});
export type ProxyEntry = z.infer<typeof ProxySchema>;

const HealthSchema = z.object({
  instanceId: z.string(),
  incarnation: z.string(),
  health: z.enum(HEALTHS),
  cause: z.string(),
  since: z.int(),
  proxyId: z.string(),
  /** Epoch milliseconds. */
  savedAt: z.int(),
});

const LatenciesSchema = z.array(
  z.object({
    instanceId: z.string(),
    incarnation: z.string(),
    cost: z.number(),
    at: z.int(),
  }),
) satisfies z.ZodType<LatencyRecord[]>;

const EjectionSchema = z.object({
  instanceId: z.string(),
  incarnation: z.string(),
  cause: z.string(),
  since: z.int(),
  until: z.int(),
  times: z.int(),
}) satisfies z.ZodType<EjectionRecord>;

const EventSchema = z.object({
  at: z.int(),
  type: z.enum(EVENT_TYPES),
  service: z.string().nullable(),
  instanceId: z.string().nullable(),
  message: z.string(),
  data: z.record(z.string(), z.unknown()),
}) satisfies z.ZodType<HeimdallEvent>;

const AlertSchema = z.object({ owner: z.string(), outage: OutageSchema });

const MessageSchema = z.object({
  owner: z.string(),
  delivery: z.object({ channel: z.string(), notification: NotificationSchema }),
});

const AcknowledgementSchema = z.object({
  at: z.int(),
  by: z.string(),
  comment: z.string(),
}) satisfies z.ZodType<Acknowledgement>;

const SilenceSchema = z.object({
  id: z.int(),
  match: SilenceMatchSchema,
  createdAt: z.int(),
  until: z.int(),
  by: z.string(),
  comment: z.string(),
}) satisfies z.ZodType<Silence>;

const ChannelSchema = z
  .object({ name: z.string(), spec: WebhookSpecSchema, at: z.int(), by: z.string() })
  .transform(({ spec, ...row }) => ({ ...row, ...spec })) satisfies z.ZodType<AddedChannel>;

/** How values look. */
export const FORM = {
  text: new Form(z.string()),
  number: new Form(z.int()),
  instance: new Form(InstanceEntrySchema),
  ownService: new Form(OwnServiceSchema),
  sharedService: new Form(SharedServiceSchema),
  manager: new Form(ManagerSchema),
  node: new Form(NodeSchema),
  proxy: new Form(ProxySchema),
  health: new Form(HealthSchema),
  latencies: new Form(LatenciesSchema),
  ejection: new Form(EjectionSchema),
  event: new Form(EventSchema),
  alert: new Form(AlertSchema),
  message: new Form(MessageSchema),
  acknowledgement: new Form(AcknowledgementSchema),
  silence: new Form(SilenceSchema),
  channel: new Form(ChannelSchema),
  deployment: new Form(DeploymentSchema),
};
