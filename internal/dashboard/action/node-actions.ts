import type { NodeView } from '../../model/node-view.ts';
import { plural } from '../format.ts';
import type { Action } from './action.ts';

/** Of a node that is away. */
export function forgetNode({ name, instances }: Pick<NodeView, 'name' | 'instances'>): Action {
  return {
    title: `Forget node ${name}`,
    verb: 'Forget',
    isDestructive: true,
    fields: [],
    meaning: () =>
      `For a host that does not come back. Its ${plural(instances, 'instance')} and what was wanted there are forgotten, and its alert ends. Nothing is started elsewhere: scale what is wanted.`,
    run: async (client) => {
      await client.forgetNode(name);
      return { said: `Node ${name} is forgotten.` };
    },
  };
}
