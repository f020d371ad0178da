import { nodesText } from './nodes-text.ts';
import { type OperateOptions, openSession, print } from './session.ts';

/** `heimdall nodes` */
export async function listNodes(options: OperateOptions): Promise<void> {
  const session = await openSession(options);
  const nodes = await session.client.nodes();
  print(session, nodes, () => nodesText(nodes, session.paint, Date.now()));
}
