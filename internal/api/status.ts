import { z } from 'zod';
import { EventViewSchema } from '../model/event-view.ts';
import { ManagerStatusSchema } from '../model/manager-status.ts';
import { ServiceNameSchema, VersionSchema } from '../model/service.ts';
import { eventView } from '../server/event-view.ts';
import { type Description, json } from './description.ts';
import { type Endpoint, endpoint, NoInput, Nothing } from './endpoint.ts';
import { EVENT, STATUS } from './examples.ts';
import { wholeNumberText } from './input.ts';
import type { Manager } from './manager.ts';
import { sendJson } from './respond.ts';

const EventsQuerySchema = z.strictObject({
  limit: wholeNumberText(1, 1_000).default(100).describe('At most so many.'),
  service: ServiceNameSchema.exactOptional().describe('Only those of this service.'),
  type: z
    .string()
    .regex(/^[a-z][a-z.-]{0,63}$/, 'expected a type of events, or how it begins, such as audit or instance')
    .exactOptional()
    .describe('Only those of this type, or whose type begins so: `audit`, `instance`, `instance.ready`.'),
  actor: VersionSchema.exactOptional().describe('Only what they did, by the data of audits.'),
});

const GET_STATUS = {
  tag: 'manager',
  summary: 'Tell how the manager is, with a summary of what it manages',
  ...NoInput,
  answers: { 200: json('it is well', ManagerStatusSchema, STATUS) },
  examples: [{}],
} as const satisfies Description;

const EVENTS = {
  tag: 'manager',
  summary: 'List what happened, newest first',
  query: EventsQuerySchema,
  body: Nothing,
  answers: { 200: json('the events', z.array(EventViewSchema), [EVENT]) },
  examples: [{ query: 'limit=20' }, { what: 'Who did what', query: 'type=audit&actor=ann' }],
} as const satisfies Description;

/** `/status` and `/events`: what is going on and what went on. */
export function statusEndpoints(manager: Manager): Endpoint[] {
  return [
    endpoint('GET', '/status', GET_STATUS, async (_input, response) => {
      sendJson(response, await manager.status());
    }),
    endpoint('GET', '/events', EVENTS, async ({ query }, response) => {
      sendJson(response, (await manager.events(query)).map(eventView));
    }),
  ];
}
