import { z } from 'zod';
import { NodeNameSchema } from '../model/node.ts';
import { NodeViewSchema } from '../model/node-view.ts';
import { type Description, json } from './description.ts';
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

/** `/nodes`: the hosts with a manager. */
export function nodesEndpoint({ nodes }: Manager): Endpoint {
  return endpoint('GET', '/nodes', LIST, async (_input, response) => sendJson(response, await nodes.list()));
}
