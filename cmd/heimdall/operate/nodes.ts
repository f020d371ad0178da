import type { ForgottenNode } from '../../../internal/model/node-view.ts';
import { confirm } from '../terminal/confirm.ts';
import { nodesText } from './nodes-text.ts';
import { type OperateOptions, openSession, print } from './session.ts';

/** `heimdall nodes` */
export async function listNodes(options: OperateOptions): Promise<void> {
  const session = await openSession(options);
  const nodes = await session.client.nodes();
  print(session, nodes, () => nodesText(nodes, session.paint, Date.now()));
}

/** `heimdall nodes forget` */
export async function forgetNode(node: string, options: OperateOptions & { readonly yes: boolean }): Promise<void> {
  const session = await openSession(options);
  await confirm(`forget node ${node} and all that is kept of it?`, options.yes);
  const forgotten = await session.client.forgetNode(node);
  print(session, forgotten, () => forgottenText(forgotten));
}

function forgottenText({ name, instances }: ForgottenNode): string {
  const those = instances.length === 0 ? 'which kept no instances' : `and with it ${instances.join(', ')}`;
  return `node ${name} is forgotten, ${those}\n`;
}
