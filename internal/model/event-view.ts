import { z } from 'zod';
import { EVENT_TYPES } from './event.ts';
import type { Told } from './told.ts';

/** Something that happened, as the API shows it. */
export const EventViewSchema = z
  .object({
    id: z.int(),
    at: z.string().describe('ISO 8601.'),
    type: z.enum(EVENT_TYPES),
    service: z.string().nullable(),
    instanceId: z.string().nullable(),
    message: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event' });
export type EventView = Told<z.infer<typeof EventViewSchema>>;
