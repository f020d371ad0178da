import { z } from 'zod';
import { NodeNameSchema } from '../model/node.ts';
import { ForgottenNodeSchema, NodeViewSchema } from '../model/node-view.ts';
import { type Description, json } from './description.ts';
import { differencesOf } from './differences.ts';
import { type Endpoint, endpoint, NoInput } from './endpoint.ts';
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
  summary: 'Forget a node that is gone for good',
  details:
    'With all that is kept of it: its instances, deployments and the number of instances that it was to have. What still runs there is nobody’s from then on.',
  id: { name: 'node', what: 'its name', schema: NodeNameSchema },
  ...NoInput,
  answers: { 200: json('what is forgotten', ForgottenNodeSchema, { name: 'b', instances: ['web-9000-x1y2z3'] }) },
  problems: ['NODE_NOT_FOUND', 'NODE_PRESENT'],
  examples: [{ id: 'b' }],
} as const satisfies Description;

/** `/nodes`: the hosts with a manager. */
export function nodeEndpoints({ nodes }: Manager): Endpoint[] {
  return [
    endpoint('GET', '/nodes', LIST, async (_input, response) => sendJson(response, await nodes.list())),
    endpoint('DELETE', '/nodes/:id', FORGET, async ({ id, deed }, response) => {
      const forgotten = await nodes.forget(id);
      deed.did(`forgot node ${id}`, null, differencesOf({ instances: forgotten.instances }, { instances: [] }));
      sendJson(response, forgotten);
    }),
  ];
}
