import type { NodeView } from '../../model/node-view.ts';
import { printable } from '../../model/printable.ts';
import { forgetNode } from '../action/node-actions.ts';
import { percentText, spanText } from '../format.ts';
import { State } from '../part/mark.tsx';
import { Panel } from '../part/panel.tsx';
import { useSite } from '../site.ts';
import { nodeStanding } from '../standing.ts';

/** The hosts with a manager; nothing while there is but one. */
export function NodesPanel() {
  const nodes = useSite().store.nodes.value;
  if (nodes.length < 2) return null;
  return (
    <Panel title="Nodes">
      <ul class="balancers">
        {nodes.map((node) => (
          <Node key={node.name} node={node} />
        ))}
      </ul>
    </Panel>
  );
}

function Node({ node }: { readonly node: NodeView }) {
  const { store, action } = useSite();
  const { at } = store.state.value;
  const { name, self, address, instances, cores, load, awaySince } = node;
  return (
    <li>
      <State standing={nodeStanding(node)} />
      <strong>{name}</strong>
      <span class="faint">
        {printable(address)}, {instances} instances,{' '}
        {awaySince === null
          ? `${percentText(load)} of ${cores} cores in use`
          : `last heard of ${spanText(Date.parse(at) - Date.parse(awaySince))} ago`}
        {self && ', the one you see this on'}
      </span>
      {awaySince !== null && (
        <button type="button" onClick={() => (action.value = forgetNode(node))}>
          Forget
        </button>
      )}
    </li>
  );
}
