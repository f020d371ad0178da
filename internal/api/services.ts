import type { Response } from 'express';
import { z } from 'zod';
import { DeploymentViewSchema } from '../model/deployment-view.ts';
import {
  ByBodySchema,
  DeployBodySchema,
  RollbackBodySchema,
  ScaleBodySchema,
  ServicePatchBodySchema,
} from '../model/request-bodies.ts';
import { ServiceDetailsViewSchema, ServiceViewSchema } from '../model/service-view.ts';
import { settingsOfService } from '../model/settings.ts';
import type { WholeDeployment } from '../model/whole-deployment.ts';
import { deploymentView } from '../server/deployment-views.ts';
import type { DeploymentOptions } from '../server/service-control.ts';
import type { ServiceDetails } from '../server/service-views.ts';
import type { Deed } from './deed.ts';
import { type Description, json } from './description.ts';
import { type Endpoint, endpoint, NoInput, Nothing } from './endpoint.ts';
import { DEPLOYMENT, SERVICE, SERVICE_DETAILS } from './examples.ts';
import { flag } from './input.ts';
import type { Manager } from './manager.ts';
import { OnNode } from './nodes.ts';
import { NOT_CHANGED, sendJson, sendState } from './respond.ts';
import { SpreadChange } from './spread-change.ts';

const DeployQuerySchema = z.strictObject({
  queue: flag()
    .default(false)
    .describe('While another deployment is under way: wait for its end, rather than be refused.'),
  wait: flag().default(false).describe('Whether to answer when it is over, or when it has begun.'),
  ...OnNode.shape,
});

const DETAILS = { 200: json('the service', ServiceDetailsViewSchema, SERVICE_DETAILS) };
const OF_ONE = {
  tag: 'services',
  conditional: true,
  id: { name: 'name', what: 'the name of the service', schema: z.string() },
  query: Nothing,
  body: Nothing,
  answers: DETAILS,
  problems: ['SERVICE_NOT_FOUND'],
  examples: [{ id: 'web' }],
} as const;

const LIST = {
  tag: 'services',
  summary: 'List all services',
  details: 'In the order of the configuration: what is in force, how many run, what is being deployed.',
  ...NoInput,
  answers: { 200: json('the services', z.array(ServiceViewSchema), [SERVICE]) },
  examples: [{}],
} as const satisfies Description;

/** Of one whose part on one node can be asked for. */
const OF_NODES = { ...OF_ONE, onNode: 'named', query: OnNode } as const;

const GET = {
  ...OF_NODES,
  summary: 'Show a service, its instances and its latest deployments',
  answers: { ...DETAILS, 304: NOT_CHANGED },
} as const satisfies Description;

const PATCH = {
  ...OF_NODES,
  summary: 'Change a service',
  details:
    'What is absent stays as it is; null means as it is configured. `instances` is the sum of all nodes: what is there stays where ' +
    'it is as far as that goes. With `node` it is the number on that node.',
  body: ServicePatchBodySchema,
  problems: ['SERVICE_NOT_FOUND', 'NOT_SPAWNED'],
  examples: [{ id: 'web', body: { instances: 4, algorithm: 'least-time' } }],
} as const satisfies Description;

const SCALE = {
  ...OF_NODES,
  summary: 'Set how many instances a service has',
  details: 'On all nodes together; with `node` on that one.',
  body: ScaleBodySchema,
  problems: ['SERVICE_NOT_FOUND', 'NOT_SPAWNED'],
  examples: [{ id: 'web', body: { instances: 4 } }],
} as const satisfies Description;

const PAUSE = {
  ...OF_ONE,
  summary: 'Hold the new requests to a service',
  details: 'Answers when all load balancers do so. They wait as long as `hold` of the service lets them.',
} as const satisfies Description;

const RESUME = {
  ...OF_ONE,
  summary: 'Let the held requests of a service go on, in order',
} as const satisfies Description;

/** `/services/*`: services are shown, changed, deployed, paused. */
export function serviceEndpoints(manager: Manager): Endpoint[] {
  const { services } = manager;
  const spread = new SpreadChange(manager);
  return [
    endpoint('GET', '/services', LIST, async (_input, response) => sendJson(response, await services.list())),
    endpoint('GET', '/services/:id', GET, async ({ id }, response) => {
      sendDetails(response, await services.get(id));
    }),
    endpoint('PATCH', '/services/:id', PATCH, async ({ id, query, body, deed }, response) => {
      const { req: request } = response;
      sendDetails(response, await spread.patch({ name: id, patch: body, node: query.node, request, deed }));
    }),
    endpoint('POST', '/services/:id/scale', SCALE, async ({ id, query, body, deed }, response) => {
      const { req: request } = response;
      const patch = { instances: body.instances };
      sendDetails(response, await spread.patch({ name: id, patch, node: query.node, request, deed }));
    }),
    endpoint('POST', '/services/:id/pause', PAUSE, async ({ id, deed }, response) => {
      sendDetails(response, await services.pause(id, deed));
    }),
    endpoint('POST', '/services/:id/resume', RESUME, async ({ id, deed }, response) => {
      sendDetails(response, await services.resume(id, deed));
    }),
    ...changeEndpoints(services),
  ];
}

const DEPLOY_DETAILS =
  'A few instances at a time, without losing a request; what does not get ready or fails is rolled back. The answer comes when it has begun, with `wait=true` when it is over. It goes through the nodes one after another, and ends at the first where it does not succeed: those after it keep what they run. With `node` it is about that one.';
const CHANGE = {
  ...OF_NODES,
  query: DeployQuerySchema,
  answers: {
    202: json('the deployment, which has begun', DeploymentViewSchema, {
      ...DEPLOYMENT,
      state: 'running',
      finishedAt: null,
    }),
    200: json('the deployment, which has succeeded, with `wait=true`', DeploymentViewSchema, DEPLOYMENT),
  },
  problems: ['SERVICE_NOT_FOUND', 'NOT_SPAWNED', 'DEPLOYMENT_RUNNING', 'DEPLOYMENT_FAILED'],
} as const;

const DEPLOY = {
  ...CHANGE,
  summary: 'Deploy another version',
  details: DEPLOY_DETAILS,
  body: DeployBodySchema,
  examples: [{ id: 'web', body: { version: 'v2' } }],
} as const satisfies Description;

const RESTART = {
  ...CHANGE,
  summary: 'Run the same release in new processes',
  details: DEPLOY_DETAILS,
  body: ByBodySchema,
} as const satisfies Description;

const ROLLBACK = {
  ...CHANGE,
  summary: 'Go back to the release before, or to an earlier one',
  details: `${DEPLOY_DETAILS} A deployment that is under way is given up.`,
  body: RollbackBodySchema,
  problems: [...CHANGE.problems, 'DEPLOYMENT_NOT_FOUND'],
  examples: [{ id: 'web' }, { what: 'To what deployment 2 brought', id: 'web', body: { to: 2 } }],
} as const satisfies Description;

/** Those that make a deployment. */
function changeEndpoints(services: Manager['services']): Endpoint[] {
  return [
    change('deploy', DEPLOY, (id, body, options, deed) => services.deploy(id, body, options, deed)),
    change('restart', RESTART, (id, _body, options, deed) => services.restart(id, options, deed)),
    change('rollback', ROLLBACK, (id, { to }, options, deed) => services.rollback(id, to, options, deed)),
  ];
}

/** 202 with the deployment when it has begun, with `?wait=true` 200 when it has succeeded. */
function change<B extends typeof ByBodySchema>(
  verb: string,
  description: Description<typeof DeployQuerySchema, B>,
  begin: (id: string, body: z.output<B>, options: DeploymentOptions, deed: Deed) => Promise<WholeDeployment>,
): Endpoint {
  return endpoint('POST', `/services/:id/${verb}`, description, async ({ id, query, body, deed }, response) => {
    if (query.wait) deed.tellChange();
    const { queue, wait, node } = query;
    const deployment = await begin(id, body, { by: body.by, queue, wait, alone: node !== undefined }, deed);
    const { id: number, service, kind } = deployment;
    if (kind !== verb) deed.did(`gave up deployment ${number} of ${service}`); // which a rollback does with one under way
    response.status(query.wait ? 200 : 202).location(`/deployments/${deployment.id}`);
    sendJson(response, deploymentView(deployment));
  });
}

function sendDetails(response: Response, details: ServiceDetails): void {
  const view = { ...details, deployments: details.deployments.map(deploymentView) };
  sendState(response, settingsOfService(view), view);
}
