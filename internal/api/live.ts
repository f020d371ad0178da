import { z } from 'zod';
import { LiveHistorySchema, LiveStateSchema, LiveTickSchema } from '../model/live.ts';
import type { Viewer } from '../server/live/live-feed.ts';
import { type Description, json } from './description.ts';
import { type Endpoint, endpoint, Nothing } from './endpoint.ts';
import { EventStream } from './event-stream.ts';
import { LIVE_STATE } from './examples.ts';
import { flag } from './input.ts';
import type { Manager } from './manager.ts';
import { sendJson } from './respond.ts';

/** When a client that was cut off shall come back, in milliseconds. */
const RETRY_MS = 2_000;

const LiveQuerySchema = z.strictObject({ once: flag().default(false).describe('How it is now, as JSON.') });

const LIVE = {
  tag: 'manager',
  summary: 'Tell all that there is to see, and then every second what has changed',
  details:
    'Who takes more than a second for a message gets no ticks meanwhile, and a whole `state` when more can be taken. Who hears no `tick` for some seconds shows what is stale.',
  query: LiveQuerySchema,
  body: Nothing,
  answers: {
    200: {
      ...json('the stream; with `once` its first message as JSON', LiveStateSchema, LIVE_STATE),
      events: {
        state: { what: 'all that there is to see', schema: LiveStateSchema },
        history: { what: 'what the last 15 minutes looked like', schema: LiveHistorySchema },
        tick: { what: 'what has changed; absent is what stayed as it was', schema: LiveTickSchema },
      },
    },
  },
  problems: ['TOO_MANY_VIEWERS'],
  examples: [{ query: 'once=true' }, { what: 'The stream', isStream: true }],
} as const satisfies Description;

/** `/live`: all that there is to see, and then what changes, as server-sent events; with `once`, as it is now. */
export function liveEndpoint({ live }: Manager): Endpoint {
  return endpoint('GET', '/live', LIVE, async ({ query }, response) => {
    if (query.once) {
      sendJson(response, await live.once());
      return;
    }
    const closed = Promise.withResolvers<void>();
    const leave = live.join(() => {
      const stream = new EventStream(response);
      stream.retryAfter(RETRY_MS);
      stream.closed.addEventListener('abort', () => closed.resolve(), { once: true });
      return viewerOf(stream);
    });
    await closed.promise;
    leave();
  });
}

function viewerOf(stream: EventStream): Viewer {
  return { send: (event, json) => stream.send(event, json), end: () => stream.end() };
}
