import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isOver } from '../model/deployment.ts';
import {
  DeploymentDetailsViewSchema,
  DeploymentStepViewSchema,
  DeploymentViewSchema,
} from '../model/deployment-view.ts';
import { NodeNameSchema } from '../model/node.ts';
import { ServiceNameSchema } from '../model/service.ts';
import { isRegistryAway } from '../registry/registry.ts';
import { deploymentView, stepView } from '../server/deployment-views.ts';
import { type Description, json } from './description.ts';
import { type Endpoint, endpoint, Nothing } from './endpoint.ts';
import { EventStream } from './event-stream.ts';
import { DEPLOYMENT, DEPLOYMENT_DETAILS } from './examples.ts';
import { flag, pathNumber, wholeNumberText } from './input.ts';
import type { Manager } from './manager.ts';
import { sendJson } from './respond.ts';

/** Between two looks for new steps, in milliseconds. */
const FOLLOW_MS = 100;

const OfNode = z.strictObject({
  node: NodeNameSchema.exactOptional().describe('As far as they are about this node; see `GET /nodes`. Default: all.'),
});
const ListQuerySchema = z.strictObject({
  limit: wholeNumberText(1, 1_000).default(100).describe('At most so many.'),
  service: ServiceNameSchema.exactOptional().describe('Only those of this service.'),
  ...OfNode.shape,
});
const OneQuerySchema = z.strictObject({
  follow: flag().default(false).describe('Its steps as they come, as server-sent events.'),
  ...OfNode.shape,
});

const LIST = {
  tag: 'deployments',
  summary: 'List deployments, newest first',
  details: 'Of all nodes, or of `node`.',
  query: ListQuerySchema,
  body: Nothing,
  answers: { 200: json('the deployments', z.array(DeploymentViewSchema), [DEPLOYMENT]) },
  examples: [{ query: 'limit=5' }],
} as const satisfies Description;

const GET = {
  tag: 'deployments',
  summary: 'Show a deployment and its steps',
  details: 'Of its variables the names alone. With `follow`, or for who accepts only `text/event-stream`, as a stream.',
  id: { name: 'id', what: 'the number of the deployment', schema: z.int().min(1) },
  query: OneQuerySchema,
  body: Nothing,
  answers: {
    200: {
      ...json('the deployment', DeploymentDetailsViewSchema, DEPLOYMENT_DETAILS),
      events: {
        step: { what: 'one of its steps; those that are past come first', schema: DeploymentStepViewSchema },
        end: { what: 'the deployment, when it is over', schema: DeploymentViewSchema },
      },
    },
  },
  problems: ['DEPLOYMENT_NOT_FOUND'],
  examples: [{ id: '3' }, { what: 'Its steps as they come', id: '3', query: 'follow=true', isStream: true }],
} as const satisfies Description;

/** `/deployments/*`: what was and is being deployed, and how it goes. */
export function deploymentEndpoints({ services }: Manager): Endpoint[] {
  return [
    endpoint('GET', '/deployments', LIST, async ({ query }, response) => {
      sendJson(response, (await services.deployments(query)).map(deploymentView));
    }),
    endpoint('GET', '/deployments/:id', GET, async ({ query, id }, response) => {
      const number = pathNumber('id', id);
      const found = await services.deployment(number, query.node);
      const wantsStream = query.follow || response.req.headers.accept === 'text/event-stream';
      if (!wantsStream) {
        sendJson(response, { ...deploymentView(found.deployment), steps: found.steps.map(stepView) });
        return;
      }
      await follow(services, { id: number, node: query.node }, new EventStream(response));
    }),
  ];
}

/**
 * An event `step` for each step, those that are past first; then `end` with the deployment when it is over. While the
 * registry cannot be reached, there is nothing to tell.
 */
async function follow(
  services: Manager['services'],
  { id, node }: { readonly id: number; readonly node: string | undefined },
  stream: EventStream,
): Promise<void> {
  const ended = AbortSignal.any([stream.closed, services.stopping]);
  for (let last = 0; !ended.aborted; ) {
    const found = await services.deployment(id, node).catch((error: unknown) => {
      if (isRegistryAway(error) || ended.aborted) return null;
      throw error;
    });
    for (const step of found?.steps ?? [])
      if (step.id > last) await stream.send('step', JSON.stringify(stepView(step)));
    last = found?.steps.at(-1)?.id ?? last;
    if (found !== null && isOver(found.deployment)) {
      await stream.send('end', JSON.stringify(deploymentView(found.deployment)));
      break;
    }
    await sleep(FOLLOW_MS, undefined, { signal: ended }).catch(() => {});
  }
  stream.end();
}
