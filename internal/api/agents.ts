import type { IncomingMessage } from 'node:http';
import { viewOf } from '../model/instance.ts';
import {
  DeregisterBodySchema,
  DeregistrationSchema,
  HeartbeatAnswerSchema,
  HeartbeatBodySchema,
  RegisterBodySchema,
  RegistrationSchema,
} from '../model/agent-bodies.ts';
import { PACE } from '../server/announced/announced-instances.ts';
import { addressOf } from './caller.ts';
import { type Description, json } from './description.ts';
import { differencesOf } from './differences.ts';
import { type Endpoint, endpoint, Nothing } from './endpoint.ts';
import { ANNOUNCED } from './examples.ts';
import { flag } from './input.ts';
import type { Manager } from './manager.ts';
import { sendJson } from './respond.ts';
import { z } from 'zod';

/** What tells that a call was passed on. */
const OF_PROXIES = ['forwarded', 'x-forwarded-for', 'via'];

const AGENT = { agent: 'host-b' };

const REGISTER = {
  tag: 'agents',
  summary: 'Put apps into rotation that somebody else runs',
  details:
    'They stay as long as heartbeats come. One that is announced already keeps its id. Of several apps, those before one that is refused are announced, unless what is asked for is wrong in itself.',
  query: Nothing,
  body: RegisterBodySchema,
  isSignable: true,
  answers: {
    200: json('the instances, ready for traffic', RegistrationSchema, { instances: [ANNOUNCED], ...PACE }),
  },
  problems: ['SERVICE_NOT_FOUND', 'AGENTS_REFUSED', 'PORT_TAKEN', 'LIFECYCLE_CONFLICT'],
  examples: [{ body: { ...AGENT, node: 'host-b', apps: [{ service: 'shop', host: '10.0.0.7', port: 8080 }] } }],
} as const satisfies Description;

const HEARTBEAT = {
  tag: 'agents',
  summary: 'Keep announced instances in rotation, or tell that one is down',
  details: 'Nothing is written and nothing is audited as long as nothing changes.',
  query: Nothing,
  body: HeartbeatBodySchema,
  isSignable: true,
  isRoutine: true,
  answers: {
    200: json('what the agent has to know', HeartbeatAnswerSchema, { unknown: [], removed: [], ...PACE }),
  },
  examples: [
    { body: { ...AGENT, instances: [{ id: ANNOUNCED.id, state: 'up' }] } },
    {
      what: 'The app does not answer any more',
      body: { ...AGENT, instances: [{ id: ANNOUNCED.id, state: 'down', cause: 'connect ECONNREFUSED' }] },
    },
  ],
} as const satisfies Description;

const DEREGISTER = {
  tag: 'agents',
  summary: 'Take announced instances out of rotation, without losing a request',
  details:
    'Resolves when no request is on its way to them any more: they may be stopped then. Heartbeats go on until then.',
  query: z.strictObject({ force: flag().default(false).describe('Do not wait for requests in flight.') }),
  body: DeregisterBodySchema,
  isSignable: true,
  answers: {
    200: json('what is out', DeregistrationSchema, { gone: [ANNOUNCED.id], unknown: [] }),
  },
  examples: [{ body: { ...AGENT, instances: [ANNOUNCED.id] } }],
} as const satisfies Description;

/** `POST /servers/register`, `/heartbeat` and `/deregister`: what agents ask for. */
export function agentEndpoints({ announced }: Manager): Endpoint[] {
  return [
    endpoint('POST', '/servers/register', REGISTER, async ({ body, deed }, response) => {
      const instances = await announced.register(body, originOf(response.req));
      const ids = instances.map(({ id }) => id);
      const subject = instances[0] ? { service: instances[0].service, id: instances[0].id } : null;
      deed.did(`announced ${ids.join(', ')} for agent ${body.agent}`, subject, differencesOf({}, { instances: ids }));
      sendJson(response, { instances: instances.map((instance) => viewOf(instance, 'unknown')), ...PACE });
    }),
    endpoint('POST', '/servers/heartbeat', HEARTBEAT, async ({ body }, response) => {
      sendJson(response, await announced.heartbeat(body));
    }),
    endpoint('POST', '/servers/deregister', DEREGISTER, async ({ query, body, deed }, response) => {
      const { instances, ...outcome } = await announced.deregister(body, query);
      const subject = instances[0] ? { service: instances[0].service, id: instances[0].id } : null;
      const words = `withdrew ${outcome.gone.join(', ') || 'nothing'} for agent ${body.agent}`;
      deed.did(words, subject, differencesOf({ instances: outcome.gone }, { instances: [] }));
      sendJson(response, outcome);
    }),
  ];
}

/** Where the call comes from; null: a proxy is in between, whose word for it is not taken. */
function originOf(request: IncomingMessage): string | null {
  return OF_PROXIES.some((name) => request.headers[name] !== undefined) ? null : addressOf(request);
}
