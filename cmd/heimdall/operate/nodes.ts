import { confirm } from '../terminal/confirm.ts';
import { forgottenText, nodesText } from './nodes-text.ts';
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
  await confirm(`Forget node ${node}, its instances, and what was wanted there?`, options.yes);
  const forgotten = await session.client.forgetNode(node);
  print(session, forgotten, () => forgottenText(forgotten));
}
