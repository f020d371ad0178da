import { z } from 'zod';
import { viewOf } from '../model/instance.ts';
import { STATUSES } from '../model/lifecycle.ts';
import { LOG_STREAMS, type LogLine } from '../model/log-line.ts';
import { AddBodySchema, WeighBodySchema } from '../model/request-bodies.ts';
import { ServiceNameSchema } from '../model/service.ts';
import { type Endpoint, endpoint, Nothing } from './endpoint.ts';
import { EventStream } from './event-stream.ts';
import { flag, wholeNumberText } from './input.ts';
import type { Manager } from './manager.ts';
import { sendJson } from './respond.ts';

const AddQuerySchema = z.strictObject({ wait: flag().default(true) });
const ListQuerySchema = z.strictObject({
  service: ServiceNameSchema.exactOptional(),
  status: z.enum(STATUSES, { error: `expected one of ${STATUSES.join(', ')}` }).exactOptional(),
});
const PortQuerySchema = z.strictObject({ port: wholeNumberText(1, 65_535) });
const LogsQuerySchema = z.strictObject({
  stream: z.enum(LOG_STREAMS, { error: `expected ${LOG_STREAMS.join(' or ')}` }).exactOptional(),
  lines: wholeNumberText(0, 10_000).prefault('100'),
  follow: flag().default(false),
});
const RemoveQuerySchema = PortQuerySchema.extend({ force: flag().default(false) });

/** `/servers/*`: instances are added, shown and removed. */
export function serverEndpoints(manager: Manager): Endpoint[] {
  return [
    addEndpoint(manager),
    logsEndpoint(manager),
    ...instanceEndpoints(manager),
    endpoint('GET', '/servers/list', { query: ListQuerySchema, body: Nothing }, async ({ query }, response) => {
      sendJson(response, await manager.list(query));
    }),
    endpoint('GET', '/servers/get', { query: PortQuerySchema, body: Nothing }, async ({ query }, response) => {
      sendJson(response, await manager.get(query.port));
    }),
    endpoint('DELETE', '/servers/remove', { query: RemoveQuerySchema, body: Nothing }, async ({ query }, response) => {
      sendJson(response, await manager.remove(query.port, { force: query.force }));
    }),
  ];
}

/** `/servers/{id or port}`: one instance is shown, weighed and restarted. */
function instanceEndpoints({ instances }: Manager): Endpoint[] {
  return [
    endpoint('GET', '/servers/:id', { query: Nothing, body: Nothing }, async ({ id }, response) => {
      sendJson(response, await instances.get(id));
    }),
    endpoint('PATCH', '/servers/:id', { query: Nothing, body: WeighBodySchema }, async ({ id, body }, response) => {
      sendJson(response, await instances.weigh(id, body.weight));
    }),
    endpoint(
      'POST',
      '/servers/:id/restart',
      { query: AddQuerySchema, body: Nothing },
      async ({ id, query }, response) => {
        const instance = await instances.restart(id, query);
        response.status(query.wait ? 200 : 202).location(`/servers/${instance.id}`);
        sendJson(response, instance);
      },
    ),
  ];
}

/** The lines as JSON, for people who ask for `text/plain` as they are; with `follow` as server-sent events that go on. */
function logsEndpoint(manager: Manager): Endpoint {
  const schemas = { query: LogsQuerySchema, body: Nothing };
  return endpoint('GET', '/servers/:id/logs', schemas, async ({ query, id }, response) => {
    const { logs, gone } = await manager.logs(id, query);
    const lines = await logs.last();
    if (!query.follow) {
      const isText = response.req.accepts(['application/json', 'text/plain']) === 'text/plain';
      if (isText) response.type('text/plain').send(lines.map(({ text }) => `${text}\n`).join(''));
      else sendJson(response, lines);
      return;
    }
    const stream = new EventStream(response);
    const send = async (news: readonly LogLine[]) => {
      for (const line of news) await stream.send(line.stream, line.text);
    };
    await send(lines);
    await logs.follow(send, AbortSignal.any([gone, stream.closed]));
    await stream.send('end', 'the instance is gone, or the manager stops');
    stream.end();
  });
}

/** The add goes on when its client leaves: the instances are wanted all the same. */
function addEndpoint(manager: Manager): Endpoint {
  const schemas = { query: AddQuerySchema, body: AddBodySchema };
  return endpoint('POST', '/servers/add', schemas, async ({ query, body }, response) => {
    const instances = await manager.add({ ...body, count: body.count ?? 1, wait: query.wait });
    const views = instances.map((instance) => viewOf(instance, 'unknown'));
    const [first] = views;
    if (views.length === 1 && first) response.location(`/servers/get?port=${first.port}`);
    response.status(query.wait ? 201 : 202);
    sendJson(response, body.count === undefined ? first : views);
  });
}
