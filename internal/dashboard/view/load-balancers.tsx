import type { LoadBalancerView } from '../../model/manager-status.ts';
import { spanText } from '../format.ts';
import { State } from '../part/mark.tsx';
import { Panel } from '../part/panel.tsx';
import { useSite } from '../site.ts';
import { balancerStanding, isReplaced } from '../standing.ts';

/** One that another has replaced is told of for so long, in milliseconds. */
const REPLACED_MS = 15 * 60_000;

/** Who gives requests to the instances, and whether all that was changed is in force there. */
export function LoadBalancers() {
  const { store } = useSite();
  const all = store.loadBalancers.value;
  const { at } = store.state.value;
  const shown = all
    .filter((each) => each.heartbeatAgeMs < REPLACED_MS || !isReplaced(each, all, at))
    .toSorted((a, b) => Number(b.alive) - Number(a.alive));
  return (
    <Panel title="Load balancers">
      {!all.some(({ alive }) => alive) && (
        <p class="problem">No load balancer is heard of: no request reaches an instance through heimdall.</p>
      )}
      <ul class="balancers">
        {shown.map((balancer) => (
          <Balancer key={balancer.id} balancer={balancer} />
        ))}
      </ul>
    </Panel>
  );
}

function Balancer({ balancer }: { readonly balancer: LoadBalancerView }) {
  const { store } = useSite();
  const { at, revision } = store.state.value;
  const { id, pid, startedAt, alive, appliedRevision, heartbeatAgeMs } = balancer;
  const behind = revision === null || appliedRevision === null ? 0 : revision - appliedRevision;
  return (
    <li>
      <State standing={balancerStanding(balancer, store.loadBalancers.value, { at, revision })} />
      <strong>{id}</strong>
      <span class="faint">
        process {pid},{' '}
        {alive
          ? `up for ${spanText(Date.parse(at) - Date.parse(startedAt))}`
          : `last heard of ${spanText(heartbeatAgeMs)} ago`}
        {alive && behind > 0 && `, ${behind} changes behind`}
      </span>
    </li>
  );
}
