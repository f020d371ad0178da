import { useRef } from 'preact/hooks';
import type { LiveInstance } from '../../model/live.ts';
import { printable } from '../../model/printable.ts';
import { bytesText, countText, latencyText, NOTHING, percentText, spanText } from '../format.ts';
import { State } from '../part/mark.tsx';
import { useOnScreen } from '../part/on-screen.ts';
import { Sparkline } from '../part/sparkline.tsx';
import { useSite } from '../site.ts';
import { healthOf, lifecycleOf } from '../standing.ts';
import { DrainText } from './drain-text.tsx';

interface InstanceRowProps {
  readonly id: string;
  readonly isServiceShown: boolean;
  /** Of many rows, those that nobody sees have no cells, so that hundreds cost no more than those on the screen. */
  readonly mayRest: boolean;
}

/** One instance; drawn anew only when something of it changed. */
export function InstanceRow({ id, isServiceShown, mayRest }: InstanceRowProps) {
  const { store, go, route } = useSite();
  const row = useRef<HTMLTableRowElement>(null);
  const isSeen = useOnScreen(row);
  if (mayRest && !isSeen.value) {
    return (
      <tr ref={row} class="clickable" data-row={id}>
        <th scope="row">
          <button type="button" class="link">
            {id}
          </button>
        </th>
      </tr>
    );
  }
  const instance = store.instance(id)?.value;
  if (instance === undefined) return null;
  const { traffic, port, service } = instance;
  const past = () => [...store.history.instance(id, 'rps'), store.instance(id)?.peek().traffic.rps ?? null];
  return (
    <tr
      ref={row}
      class="clickable"
      data-row={id}
      aria-selected={route.value.instance === id}
      onClick={() => go({ instance: id })}
    >
      <th scope="row">
        <button type="button" class="link" title={id}>
          <span class="port">:{port}</span>
          <span class="wide-inline faint"> {isServiceShown ? service : distinctionOf(instance)}</span>
          {instance.node !== null && store.nodes.value.length > 1 && <span class="faint"> on {instance.node}</span>}
        </button>
      </th>
      <td>
        <State standing={lifecycleOf(instance)} />
        <DrainText instance={instance} isShort />
      </td>
      <td>
        <State standing={healthOf(instance)} />
        {instance.health !== 'healthy' && instance.healthCause !== '' && (
          <span class="cause">{printable(instance.healthCause)}</span>
        )}
      </td>
      <td class="wide">{printable(instance.version ?? NOTHING)}</td>
      <td class="figure">{countText(traffic.rps)}</td>
      <td class={`figure medium ${(traffic.errorRate ?? 0) >= 0.01 ? 'is-bad' : ''}`}>
        {percentText(traffic.errorRate)}
      </td>
      <td class="figure medium">{latencyText(traffic.p99)}</td>
      <td class="figure medium">{countText(traffic.inFlight)}</td>
      <td class="figure wide">{instance.cpu === undefined ? NOTHING : `${instance.cpu.toFixed(1)} %`}</td>
      <td class="figure wide">{bytesText(instance.memory ?? null)}</td>
      <td class="figure wide">{countText(instance.restarts)}</td>
      <td class="figure wide">{upText(instance.startedAt, store.state.peek().at)}</td>
      <td class="wide">
        <Sparkline label={`Requests per second of ${id}, last 15 minutes`} values={past} />
      </td>
    </tr>
  );
}

/** What tells it from the others of its service, besides its port. */
function distinctionOf({ id, service, host, port }: LiveInstance): string {
  return id.includes('@') ? host : id.replace(`${service}-${port}-`, '');
}

/** How long it has run, by the manager's clock. */
export function upText(startedAt: string | null, now: string): string {
  return startedAt === null ? NOTHING : spanText(Date.parse(now) - Date.parse(startedAt));
}
