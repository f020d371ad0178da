import { z } from 'zod';
import { NodeNameSchema } from '../model/node.ts';
import { ForgottenNodeViewSchema, NodeViewSchema } from '../model/node-view.ts';
import { type Description, json } from './description.ts';
import { type Endpoint, endpoint, NoInput, Nothing } from './endpoint.ts';
import { NODE } from './examples.ts';
import type { Manager } from './manager.ts';
import { sendJson } from './respond.ts';

/** The query of what a call may ask of another node. */
export const OnNode = z.strictObject({
  node: NodeNameSchema.exactOptional().describe(
    'The node whose manager is to answer; see `GET /nodes`. Default: this one, or the one that has the instance.',
  ),
});

const LIST = {
  tag: 'manager',
  summary: 'List the nodes: hosts with a manager',
  details: 'With the registry in SQLite there is one; with etcd all that there are, or were, by name.',
  ...NoInput,
  answers: { 200: json('the nodes', z.array(NodeViewSchema), [NODE]) },
  examples: [{}],
} as const satisfies Description;

const FORGET = {
  tag: 'manager',
  summary: 'Forget a node that is away for good',
  details:
    'Its instances, its part of the desired state and its parts of deployments go with it, and its alert ends. Nothing is started ' +
    'elsewhere: scale what is wanted. While its manager gives signs of life it is refused.',
  id: { name: 'name', what: 'the name of the node', schema: NodeNameSchema },
  query: Nothing,
  body: Nothing,
  answers: {
    200: json('what was forgotten', ForgottenNodeViewSchema, {
      name: 'b',
      instances: ['web-9000-abc123'],
      desired: { web: 1 },
      deployments: [3],
    }),
  },
  problems: ['NODE_NOT_FOUND', 'NODE_ALIVE'],
  examples: [{ id: 'b' }],
} as const satisfies Description;

/** `/nodes`: the hosts with a manager. */
export function nodeEndpoints({ nodes }: Manager): Endpoint[] {
  return [
    endpoint('GET', '/nodes', LIST, async (_input, response) => sendJson(response, await nodes.list())),
    endpoint('DELETE', '/nodes/:id', FORGET, async ({ id, deed }, response) => {
      const { desired, ...forgotten } = await nodes.forget(id);
      deed.did(`forgot node ${id}, which was away`);
      sendJson(response, { name: id, ...forgotten, desired: Object.fromEntries(desired) });
    }),
  ];
}
