import { z } from 'zod';
import { WebhookSpecSchema } from '../../../pkg/alerts/added-channel.ts';
import { SilenceMatchSchema } from '../../../pkg/alerts/book.ts';
import { NotificationSchema, OutageSchema } from '../../../pkg/alerts/store.ts';
import { DeploymentSchema, DeploymentStepSchema } from '../../model/deployment.ts';
import { HeimdallError } from '../../model/errors.ts';
import type { StoredEvent } from '../../model/event.ts';
import { AnnouncerSchema, InstanceSchema, ProcessIdentitySchema } from '../../model/instance.ts';
import { NodeNoteSchema } from '../../model/node.ts';
import { ReleaseSchema } from '../../model/release.ts';
import { OverridesSchema, ServiceStateSchema } from '../../model/service-state.ts';
import {
  channelSchema,
  DemandRecordSchema,
  EventSchema,
  SilenceSchema,
  TrafficRecordSchema,
} from '../record-schemas.ts';
import type { ManagerRecord } from '../registry.ts';

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

export const EventRowSchema = EventSchema.extend({
  id: z.int(),
  data: json(EventSchema.shape.data),
}) satisfies z.ZodType<StoredEvent>;

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

export const TrafficRowSchema = OfProxySchema.extend(TrafficRecordSchema.shape);

export const DemandRowSchema = OfProxySchema.extend(DemandRecordSchema.shape);

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

export const SilenceRowSchema = SilenceSchema.extend({ match: json(SilenceMatchSchema) });

export const ChannelRowSchema = channelSchema(json(WebhookSpecSchema));

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
