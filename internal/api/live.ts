import { z } from 'zod';
import type { Viewer } from '../server/live/live-feed.ts';
import { type Endpoint, endpoint, Nothing } from './endpoint.ts';
import { EventStream } from './event-stream.ts';
import { flag } from './input.ts';
import type { Manager } from './manager.ts';
import { sendJson } from './respond.ts';

/** When a client that was cut off shall come back, in milliseconds. */
const RETRY_MS = 2_000;

const LiveQuerySchema = z.strictObject({ once: flag().default(false) });

/** `/live`: all that there is to see, and then what changes, as server-sent events; with `once`, as it is now. */
export function liveEndpoint({ live }: Manager): Endpoint {
  return endpoint('GET', '/live', { query: LiveQuerySchema, body: Nothing }, async ({ query }, response) => {
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
