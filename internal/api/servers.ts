import type { Response } from 'express';
import { z } from 'zod';
import { STATUSES } from '../model/lifecycle.ts';
import { type InstanceView, InstanceViewSchema } from '../model/instance-view.ts';
import { LOG_STREAMS, type LogLine, LogLineSchema } from '../model/log-line.ts';
import { AddBodySchema, WeighBodySchema } from '../model/request-bodies.ts';
import { ServiceNameSchema } from '../model/service.ts';
import { settingsOfInstance } from '../model/settings.ts';
import type { DeedSubject } from './deed.ts';
import { type Description, json } from './description.ts';
import { type Differences, differencesOf } from './differences.ts';
import { type Endpoint, endpoint, Nothing } from './endpoint.ts';
import { EventStream } from './event-stream.ts';
import { INSTANCE } from './examples.ts';
import { flag, wholeNumberText } from './input.ts';
import type { Manager } from './manager.ts';
import { OnNode } from './nodes.ts';
import { NOT_CHANGED, sendJson, sendState } from './respond.ts';
import { SpreadAdd } from './spread-add.ts';

const AddQuerySchema = z.strictObject({
  wait: flag().default(true).describe('Whether to answer when it is ready, or at once.'),
  ...OnNode.shape,
});
const ListQuerySchema = z.strictObject({
  service: ServiceNameSchema.exactOptional().describe('Only those of this service.'),
  status: z
    .enum(STATUSES, { error: `expected one of ${STATUSES.join(', ')}` })
    .exactOptional()
    .describe('Only those in this state.'),
});
const NAME_FIELDS = {
  port: wholeNumberText(1, 65_535).exactOptional().describe('Of the instance.'),
  id: z.string().min(1).exactOptional().describe('Of the instance, in place of its port.'),
  ...OnNode.shape,
};
const NamedQuerySchema = oneName(z.strictObject(NAME_FIELDS));
const LogsQuerySchema = z.strictObject({
  stream: z
    .enum(LOG_STREAMS, { error: `expected ${LOG_STREAMS.join(' or ')}` })
    .exactOptional()
    .describe('Default: both.'),
  lines: wholeNumberText(0, 10_000).prefault('100').describe('How many of each stream.'),
  follow: flag().default(false).describe('Go on with all that is written, as server-sent events.'),
  ...OnNode.shape,
});
const AddedSchema = z.union([InstanceViewSchema, z.array(InstanceViewSchema)]);
const RemoveQuerySchema = oneName(
  z.strictObject({
    ...NAME_FIELDS,
    force: flag().default(false).describe('Skip the drain: requests in flight are cut off.'),
  }),
);

const LIST = {
  tag: 'instances',
  summary: 'List all instances',
  details: 'Those that are configured under `servers`, too; ordered by service, host and port.',
  query: ListQuerySchema,
  body: Nothing,
  answers: { 200: json('the instances', z.array(InstanceViewSchema), [INSTANCE]) },
  examples: [{}, { what: 'Those of a service that run', query: 'service=web&status=running' }],
} as const satisfies Description;

const GET = {
  tag: 'instances',
  summary: 'Show an instance by its port',
  onNode: 'keeper',
  query: NamedQuerySchema,
  body: Nothing,
  conditional: true,
  answers: { 200: json('the instance', InstanceViewSchema, INSTANCE), 304: NOT_CHANGED },
  problems: ['INSTANCE_NOT_FOUND'],
  examples: [{ query: 'port=9000' }],
} as const satisfies Description;

const OF_ONE = {
  tag: 'instances',
  conditional: true,
  id: { name: 'instance', what: 'its id or port', schema: z.string() },
  onNode: 'keeper',
  query: OnNode,
  body: Nothing,
  answers: { 200: json('the instance', InstanceViewSchema, INSTANCE) },
  problems: ['INSTANCE_NOT_FOUND', 'NOT_SPAWNED', 'LIFECYCLE_CONFLICT'],
  examples: [{ id: '9000' }],
} as const;

const SHOW = {
  ...OF_ONE,
  summary: 'Show an instance by its id or port',
  answers: { ...OF_ONE.answers, 304: NOT_CHANGED },
  problems: ['INSTANCE_NOT_FOUND'],
} as const satisfies Description;

const WEIGH = {
  ...OF_ONE,
  summary: 'Give an instance another share of the requests',
  details:
    'A weight of null: that of its service. Of an announced one it holds until its agent announces it with another weight.',
  body: WeighBodySchema,
  examples: [{ id: '9000', body: { weight: 3 } }],
} as const satisfies Description;

const RESTART = {
  ...OF_ONE,
  summary: 'Put a new instance in the place of one, without losing a request',
  details:
    'It runs the same under another id and port; the old one is drained when it is ready. When it does not get ready, nothing has changed.',
  query: AddQuerySchema,
  answers: {
    200: json('the new instance, when the old one is gone', InstanceViewSchema, INSTANCE),
    202: json('the new instance at once, with `wait=false`', InstanceViewSchema, { ...INSTANCE, status: 'starting' }),
  },
  problems: [
    ...OF_ONE.problems,
    'DEPLOYMENT_RUNNING',
    'PORT_TAKEN',
    'COMMAND_FAILED',
    'INSTANCE_EXITED',
    'NO_FREE_PORT',
    'INSTANCE_NOT_READY',
  ],
} as const satisfies Description;

const REMOVE = {
  tag: 'instances',
  summary: 'Drain and stop an instance',
  details:
    'No load balancer gives it new requests any more, those in flight finish, then it is stopped. Resolves when it is gone. What an agent announced goes on where it runs; its agent keeps it out.',
  onNode: 'keeper',
  query: RemoveQuerySchema,
  body: Nothing,
  conditional: true,
  answers: {
    200: json('the instance that is gone', InstanceViewSchema, { ...INSTANCE, pid: null, status: 'stopped' }),
  },
  problems: ['INSTANCE_NOT_FOUND', 'NOT_SPAWNED'],
  examples: [{ query: 'port=9000' }, { what: 'Its requests are cut off', query: 'port=9000&force=true' }],
} as const satisfies Description;

const LOGS = {
  tag: 'instances',
  summary: 'Show the last lines that an instance has written',
  details:
    'Those of standard output, then those of standard error; as text for who asks for `text/plain`. What an instance wrote that ' +
    'is gone is kept for a while, under its id.',
  id: { name: 'instance', what: 'its id or port', schema: z.string() },
  onNode: 'keeper',
  query: LogsQuerySchema,
  body: Nothing,
  answers: {
    200: {
      ...json('the lines; with `follow` as a stream', z.array(LogLineSchema), [{ stream: 'out', text: 'listening' }]),
      mediaType: 'text/plain',
      events: {
        out: { what: 'a line of standard output' },
        err: { what: 'a line of standard error' },
        end: { what: 'the instance is gone, or the manager stops' },
      },
    },
  },
  problems: ['INSTANCE_NOT_FOUND', 'NOT_SPAWNED'],
  examples: [
    { id: '9000', accept: 'text/plain' },
    { what: 'And all that follow', id: '9000', query: 'follow=true', isStream: true },
  ],
} as const satisfies Description;

const ADD = {
  tag: 'instances',
  summary: 'Start instances',
  details:
    'Without a body one more of the first service that has a command. When one of them does not get ready, none remains. ' +
    'Without `node`, they go to the nodes that have the fewest of the service for each core, and are busy the least.',
  onNode: 'named',
  query: AddQuerySchema,
  body: AddBodySchema,
  answers: {
    201: json('the instance, when it is ready; a list when `count` is given', AddedSchema, INSTANCE),
    202: json('the same at once, with `wait=false`', AddedSchema, { ...INSTANCE, status: 'starting' }),
  },
  problems: [
    'SERVICE_NOT_FOUND',
    'NOT_SPAWNED',
    'PORT_TAKEN',
    'LIFECYCLE_CONFLICT',
    'COMMAND_FAILED',
    'INSTANCE_EXITED',
    'NO_FREE_PORT',
    'INSTANCE_NOT_READY',
  ],
  examples: [{}, { what: 'Three more', body: { count: 3 } }],
} as const satisfies Description;

/** `/servers/*`: instances are added, shown and removed. */
export function serverEndpoints(manager: Manager): Endpoint[] {
  return [
    endpoint('GET', '/servers/list', LIST, async ({ query }, response) => {
      sendJson(response, await manager.list(query));
    }),
    endpoint('GET', '/servers/get', GET, async ({ query }, response) => {
      sendInstance(response, await manager.instances.get(nameOf(query), query.node));
    }),
    addEndpoint(manager),
    endpoint('DELETE', '/servers/remove', REMOVE, async ({ query, deed }, response) => {
      const removed = await manager.remove(nameOf(query), { force: query.force }, deed);
      const words = `removed ${removed.id}${query.force ? ' without a drain' : ''}`;
      deed.did(words, deed.subject, differencesOf(settingsOfInstance(removed), {}));
      sendJson(response, removed);
    }),
    ...instanceEndpoints(manager),
    logsEndpoint(manager),
  ];
}

/** Which instance is meant is told in one of two ways. */
function oneName<S extends z.ZodObject>(schema: S): S {
  return schema.refine((query) => (query['port'] === undefined) !== (query['id'] === undefined), {
    path: ['port'],
    error: 'expected the port of the instance (port=9000) or its id (id=web-9000-x1y2z3), one of them',
  });
}

function nameOf({ port, id }: { readonly port?: number; readonly id?: string }): string {
  return id ?? String(port);
}

/** `/servers/{id or port}`: one instance is shown, weighed and restarted. */
function instanceEndpoints({ instances }: Manager): Endpoint[] {
  return [
    endpoint('GET', '/servers/:id', SHOW, async ({ id, query }, response) => {
      sendInstance(response, await instances.get(id, query.node));
    }),
    endpoint('PATCH', '/servers/:id', WEIGH, async ({ id, body, deed }, response) => {
      sendInstance(response, await instances.weigh(id, body.weight, deed));
    }),
    endpoint('POST', '/servers/:id/restart', RESTART, async ({ id, query, deed }, response) => {
      const instance = await instances.restart(id, { wait: query.wait }, deed);
      const old = deed.subject?.id ?? id;
      deed.did(`restarted ${old} as ${instance.id}`, deed.subject, differencesOf({ id: old }, { id: instance.id }));
      response.status(query.wait ? 200 : 202).location(`/servers/${instance.id}`);
      sendJson(response, instance);
    }),
  ];
}

function sendInstance(response: Response, view: InstanceView): void {
  sendState(response, settingsOfInstance(view), view);
}

/** The lines as JSON, for people who ask for `text/plain` as they are; with `follow` as server-sent events that go on. */
function logsEndpoint(manager: Manager): Endpoint {
  return endpoint('GET', '/servers/:id/logs', LOGS, async ({ query, id }, response) => {
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
  const spread = new SpreadAdd(manager);
  return endpoint('POST', '/servers/add', ADD, async ({ query, body, deed }, response) => {
    const views = await spread.add(body, query, response.req);
    const [first] = views;
    deed.did(...addedWords(views));
    if (views.length === 1 && first) response.location(`/servers/${first.id}`);
    response.status(query.wait ? 201 : 202);
    sendJson(response, body.count === undefined ? first : views);
  });
}

function addedWords(views: readonly InstanceView[]): [words: string, subject: DeedSubject | null, Differences] {
  const [first, second] = views;
  const service = first?.service ?? '';
  const differences = differencesOf({}, { instances: views.map(({ id }) => id) });
  if (first !== undefined && second === undefined) return [`added ${first.id}`, { service, id: first.id }, differences];
  return [`added ${views.length} instances of ${service}`, { service, id: null }, differences];
}
