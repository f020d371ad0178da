import { z } from 'zod';
import type { AddedChannel, WebhookSpecSchema } from '../../pkg/alerts/added-channel.ts';
import { type Acknowledgement, type Silence, SilenceMatchSchema } from '../../pkg/alerts/book.ts';
import type { EjectionRecord } from '../model/ejection.ts';
import { EVENT_TYPES, type HeimdallEvent } from '../model/event.ts';
import { HEALTHS, type HealthRecord } from '../model/health.ts';
import type { DemandRecord, LatencyRecord, TrafficRecord } from './registry.ts';

/** How what is kept looks, whatever it is kept in. */
export const EventSchema = z.object({
  at: z.int(),
  type: z.enum(EVENT_TYPES),
  service: z.string().nullable(),
  instanceId: z.string().nullable(),
  message: z.string(),
  data: z.record(z.string(), z.unknown()),
}) satisfies z.ZodType<HeimdallEvent>;

export const HealthRecordSchema = z.object({
  instanceId: z.string(),
  incarnation: z.string(),
  health: z.enum(HEALTHS),
  cause: z.string(),
  since: z.int(),
  proxyId: z.string(),
}) satisfies z.ZodType<HealthRecord>;

export const LatencyRecordSchema = z.object({
  instanceId: z.string(),
  incarnation: z.string(),
  cost: z.number(),
  at: z.int(),
}) satisfies z.ZodType<LatencyRecord>;

export const EjectionRecordSchema = z.object({
  instanceId: z.string(),
  incarnation: z.string(),
  cause: z.string(),
  since: z.int(),
  until: z.int(),
  times: z.int(),
}) satisfies z.ZodType<EjectionRecord>;

export const TrafficRecordSchema = z.object({
  instanceId: z.string(),
  incarnation: z.string(),
  requests: z.int(),
  failures: z.int(),
  inFlight: z.int(),
}) satisfies z.ZodType<TrafficRecord>;

export const DemandRecordSchema = z.object({
  service: z.string(),
  waiting: z.int(),
  requests: z.int().nullable(),
}) satisfies z.ZodType<DemandRecord>;

export const AcknowledgementSchema = z.object({
  at: z.int(),
  by: z.string(),
  comment: z.string(),
}) satisfies z.ZodType<Acknowledgement>;

export const SilenceSchema = z.object({
  id: z.int(),
  match: SilenceMatchSchema,
  createdAt: z.int(),
  until: z.int(),
  by: z.string(),
  comment: z.string(),
}) satisfies z.ZodType<Silence>;

/** @param spec - `WebhookSpecSchema`, from whatever it is kept as. */
export function channelSchema(spec: z.ZodType<z.output<typeof WebhookSpecSchema>>) {
  return z
    .object({ name: z.string(), spec, at: z.int(), by: z.string() })
    .transform(({ spec, ...row }) => ({ ...row, ...spec })) satisfies z.ZodType<AddedChannel>;
}
