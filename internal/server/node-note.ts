import { availableParallelism, loadavg } from 'node:os';
import type { NodeNote } from '../model/node.ts';
import type { Service } from '../model/service.ts';

/** What a manager says of its node, as it is now; the load has two decimals, so that little changes on an idle machine. */
export function nodeNote(
  known: Pick<NodeNote, 'url' | 'address' | 'version' | 'instances'>,
  services: readonly Service[],
): NodeNote {
  const cores = availableParallelism();
  const [lately = 0] = loadavg();
  return {
    ...known,
    services: services.filter(({ command }) => command !== undefined).map(({ name }) => name),
    cores,
    load: Number((lately / cores).toFixed(2)),
  };
}
