import { z } from 'zod';
import { RegistrySettingsSchema } from '../../../internal/model/registry-settings.ts';

/** What a process of the benchmark is started with. */
export const PlaceSchema = z.object({
  registry: RegistrySettingsSchema,
  services: z.array(z.string()),
  name: z.string(),
});
export type Place = z.input<typeof PlaceSchema>;

/** When a revision was committed, or in force: the second number in milliseconds of the machine's monotonic clock. */
export const MomentsSchema = z.array(z.tuple([z.int(), z.number()]));
export type Moments = z.infer<typeof MomentsSchema>;

/** What the benchmark tells the writer. */
export const OrderSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('fill'), instances: z.int() }),
  z.object({ type: z.literal('storm'), perSecond: z.number(), seconds: z.number(), lanes: z.int() }),
]);

/** Its answers, one for each order. */
export const FilledSchema = z.object({ revision: z.int() });
export const StormedSchema = z.object({ changes: z.int(), commits: MomentsSchema, seconds: z.number() });

/** A reader tells once that its first picture is in force, and then this for each message that it gets. */
export const ReadSchema = z.object({
  revision: z.int().nullable(),
  instances: z.int(),
  /** Since the last answer. */
  inForce: MomentsSchema,
});
