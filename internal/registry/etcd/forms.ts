import { z } from 'zod';
import { WebhookSpecSchema } from '../../../pkg/alerts/added-channel.ts';
import { NotificationSchema, OutageSchema } from '../../../pkg/alerts/store.ts';
import { DeploymentSchema } from '../../model/deployment.ts';
import { InstanceSchema } from '../../model/instance.ts';
import { NodeNoteSchema } from '../../model/node.ts';
import { ReleaseSchema } from '../../model/release.ts';
import { OverridesSchema } from '../../model/service-state.ts';
import {
  AcknowledgementSchema,
  channelSchema,
  DemandRecordSchema,
  EjectionRecordSchema,
  EventSchema,
  HealthRecordSchema,
  LatencyRecordSchema,
  SilenceSchema,
  TrafficRecordSchema,
} from '../record-schemas.ts';
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

const CopyingSchema = z.object({
  /** What is copied, for people. */
  from: z.string(),
  pid: z.int(),
  host: z.string(),
  /** See `processPlace`. */
  place: z.string(),
  startedAt: z.int(),
});

const NodeSchema = z.object({ pid: z.int(), startedAt: z.int(), seenAt: z.int(), note: NodeNoteSchema });

/** Memory in bytes, and percent of one core, by instance. */
const UsageSchema = z.record(z.string(), z.tuple([z.number(), z.number().nullable()]));

const ProxySchema = z.object({
  id: z.string(),
  pid: z.int(),
  node: z.string().nullable().default(null),
  startedAt: z.int(),
  appliedRevision: z.int().nullable(),
  inFlight: z.record(z.string(), z.int()),
  traffic: z.array(TrafficRecordSchema),
  demand: z.array(DemandRecordSchema),
});
export type ProxyEntry = z.infer<typeof ProxySchema>;

const PresenceSchema = z.object({ pid: z.int(), startedAt: z.int() });

const AlertSchema = z.object({ owner: z.string(), outage: OutageSchema });

const MessageSchema = z.object({
  owner: z.string(),
  delivery: z.object({ channel: z.string(), notification: NotificationSchema }),
});

/** How values look. */
export const FORM = {
  text: new Form(z.string()),
  number: new Form(z.int()),
  instance: new Form(InstanceEntrySchema),
  ownService: new Form(OwnServiceSchema),
  sharedService: new Form(SharedServiceSchema),
  manager: new Form(ManagerSchema),
  copying: new Form(CopyingSchema),
  node: new Form(NodeSchema),
  usage: new Form(UsageSchema),
  proxy: new Form(ProxySchema),
  presence: new Form(PresenceSchema),
  /** With when it was saved, in epoch milliseconds. */
  health: new Form(HealthRecordSchema.extend({ savedAt: z.int() })),
  latencies: new Form(z.array(LatencyRecordSchema)),
  ejection: new Form(EjectionRecordSchema),
  /** With its place among those written in the same commit. */
  event: new Form(EventSchema.extend({ place: z.int().default(0) })),
  alert: new Form(AlertSchema),
  message: new Form(MessageSchema),
  acknowledgement: new Form(AcknowledgementSchema),
  silence: new Form(SilenceSchema),
  channel: new Form(channelSchema(WebhookSpecSchema)),
  deployment: new Form(DeploymentSchema),
};
