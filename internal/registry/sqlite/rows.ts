import { z } from 'zod';
import { type AddedChannel, WebhookSpecSchema } from '../../../pkg/alerts/added-channel.ts';
import { type Silence, SilenceMatchSchema } from '../../../pkg/alerts/book.ts';
import { NotificationSchema, OutageSchema } from '../../../pkg/alerts/store.ts';
import { DeploymentSchema, DeploymentStepSchema } from '../../model/deployment.ts';
import { HeimdallError } from '../../model/errors.ts';
import { EVENT_TYPES, type StoredEvent } from '../../model/event.ts';
import { HEALTHS, type HealthRecord } from '../../model/health.ts';
import { AnnouncerSchema, InstanceSchema, ProcessIdentitySchema } from '../../model/instance.ts';
import { NodeNoteSchema } from '../../model/node.ts';
import type { EjectionRecord } from '../../model/ejection.ts';
import { ReleaseSchema } from '../../model/release.ts';
import { OverridesSchema, ServiceStateSchema } from '../../model/service-state.ts';
import type { DemandRecord, LatencyRecord, ManagerRecord, TrafficRecord } from '../registry.ts';

export const MetaRowSchema = z.object({ registryId: z.string(), revision: z.int().min(0) });
export type MetaRow = z.infer<typeof MetaRowSchema>;

export const ServiceRowSchema = ServiceStateSchema.extend({
  release: json(ReleaseSchema),
  overrides: json(OverridesSchema),
});

export const InstanceRowSchema = InstanceSchema.extend({
  agent: json(AnnouncerSchema).nullable(),
  process: json(ProcessIdentitySchema).nullable(),
  env: json(z.record(z.string(), z.string())),
});

/** Thousands in one row cost less than as many rows. */
export const IdsRowSchema = z.object({ ids: json(z.array(z.string())) });

export const PortsRowSchema = z.object({ ports: json(z.array(z.int())) });

export const CountRowSchema = z.object({ count: z.int() });

export const EventRowSchema = z.object({
  id: z.int(),
  at: z.int(),
  type: z.enum(EVENT_TYPES),
  service: z.string().nullable(),
  instanceId: z.string().nullable(),
  message: z.string(),
  data: json(z.record(z.string(), z.unknown())),
}) satisfies z.ZodType<StoredEvent>;

export const HealthRowSchema = z.object({
  instanceId: z.string(),
  incarnation: z.string(),
  health: z.enum(HEALTHS),
  cause: z.string(),
  since: z.int(),
  proxyId: z.string(),
}) satisfies z.ZodType<HealthRecord>;

export const ManagerRowSchema = z.object({
  pid: z.int(),
  startedAt: z.int(),
  heartbeatAt: z.int(),
}) satisfies z.ZodType<ManagerRecord>;

export const NodeRowSchema = z.object({
  name: z.string(),
  pid: z.int(),
  startedAt: z.int(),
  seenAt: z.int(),
  note: json(NodeNoteSchema),
});

export const ProxyRowSchema = ManagerRowSchema.extend({ id: z.string(), appliedRevision: z.int().nullable() });

export const LeaseRowSchema = z.object({ proxyId: z.string(), instanceId: z.string(), inFlight: z.int() });

export const DeploymentRowSchema = DeploymentSchema.extend({
  release: json(ReleaseSchema),
  previous: json(ReleaseSchema).nullable(),
});

export const StepRowSchema = DeploymentStepSchema.extend({ logTail: json(z.array(z.string())) });

/** The id of a row just inserted. */
export const NumberRowSchema = z.object({ id: z.int() });

export const IdRowSchema = z.object({ id: z.string() });

const OfProxySchema = z.object({ proxyId: z.string() });

export const TrafficRowSchema = OfProxySchema.extend({
  instanceId: z.string(),
  incarnation: z.string(),
  requests: z.int(),
  failures: z.int(),
  inFlight: z.int(),
}) satisfies z.ZodType<TrafficRecord>;

export const DemandRowSchema = OfProxySchema.extend({
  service: z.string(),
  waiting: z.int(),
  requests: z.int().nullable(),
}) satisfies z.ZodType<DemandRecord>;

export const LatencyRowSchema = z.object({
  instanceId: z.string(),
  incarnation: z.string(),
  cost: z.number(),
  at: z.int(),
}) satisfies z.ZodType<LatencyRecord>;

export const EjectionRowSchema = z.object({
  instanceId: z.string(),
  incarnation: z.string(),
  cause: z.string(),
  since: z.int(),
  until: z.int(),
  times: z.int(),
}) satisfies z.ZodType<EjectionRecord>;

export const OutageRowSchema = OutageSchema.extend({
  alert: json(OutageSchema.shape.alert),
  announced: json(OutageSchema.shape.announced),
  told: bit(),
  open: bit(),
});

/** An alert with its acknowledgement. */
export const AlertRowSchema = OutageRowSchema.pick({ id: true, alert: true, resolvedAt: true, announced: true }).extend(
  {
    ackedAt: z.int().nullable(),
    ackedBy: z.string().nullable(),
    comment: z.string().nullable(),
  },
);

export const SilenceRowSchema = z.object({
  id: z.int(),
  match: json(SilenceMatchSchema),
  createdAt: z.int(),
  until: z.int(),
  by: z.string(),
  comment: z.string(),
}) satisfies z.ZodType<Silence>;

export const ChannelRowSchema = z
  .object({ name: z.string(), spec: json(WebhookSpecSchema), at: z.int(), by: z.string() })
  .transform(({ spec, ...row }) => ({ ...row, ...spec })) satisfies z.ZodType<AddedChannel>;

export const DeliveryRowSchema = z.object({ channel: z.string(), notification: json(NotificationSchema) });

const KeySchema = z
  .object({ id: z.union([z.string(), z.int()]), instanceId: z.string(), service: z.string() })
  .partial()
  .catch({});

/**
 * A row as the schema wants it.
 * @throws {HeimdallError} REGISTRY_BROKEN naming the table, the row and the column.
 */
export function parseRow<T>(table: string, schema: z.ZodType<T>, row: unknown): T {
  const parsed = schema.safeParse(row);
  if (parsed.success) return parsed.data;
  const { id, instanceId, service } = KeySchema.parse(row);
  const key = id ?? instanceId ?? service ?? 'unnamed';
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  const message = `The registry is damaged: the row ${key} of ${table} is not valid (${issues}). Correct or delete it.`;
  throw new HeimdallError('REGISTRY_BROKEN', message, { table, key });
}

function bit() {
  return z.union([z.literal(0), z.literal(1)]).transform((value) => value === 1);
}

/** A column that holds JSON. */
export function json<T>(schema: z.ZodType<T>) {
  const text = z.string().transform((value, context): unknown => {
    try {
      return JSON.parse(value);
    } catch {
      context.issues.push({ code: 'custom', input: value, message: 'not JSON' });
      return z.NEVER;
    }
  });
  return text.pipe(schema);
}
