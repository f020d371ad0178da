import { z } from 'zod';
import { ServiceNameSchema } from '../model/service.ts';
import { eventView } from '../server/event-view.ts';
import { type Endpoint, endpoint, Nothing } from './endpoint.ts';
import { wholeNumberText } from './input.ts';
import type { Manager } from './manager.ts';
import { sendJson } from './respond.ts';

const EventsQuerySchema = z.strictObject({
  limit: wholeNumberText(1, 1_000).default(100),
  service: ServiceNameSchema.exactOptional(),
});

/** `/status` and `/events`: what is going on and what went on. */
export function statusEndpoints(manager: Manager): Endpoint[] {
  return [
    endpoint('GET', '/status', { query: Nothing, body: Nothing }, async (_input, response) => {
      sendJson(response, await manager.status());
    }),
    endpoint('GET', '/events', { query: EventsQuerySchema, body: Nothing }, async ({ query }, response) => {
      sendJson(response, (await manager.events(query)).map(eventView));
    }),
  ];
}
