import { useEffect, useRef } from 'preact/hooks';
import type { LiveInstance } from '../../model/live.ts';
import { printable } from '../../model/printable.ts';
import { forceInstance, removeInstance, restartInstance, weighInstance } from '../action/instance-actions.ts';
import { bytesText, countText, latencyText, NOTHING, percentText } from '../format.ts';
import type { InstanceFigure } from '../live/history.ts';
import { State } from '../part/mark.tsx';
import { ServiceLink } from '../part/service-link.tsx';
import { Sparkline } from '../part/sparkline.tsx';
import { useSite } from '../site.ts';
import { healthOf, isHealthy, lifecycleOf } from '../standing.ts';
import { DrainText } from './drain-text.tsx';
import { upText } from './instance-row.tsx';
import { LogTail } from './log-tail.tsx';

/** All about one instance, beside what was looked at before. */
export function InstanceDrawer({ id }: { readonly id: string }) {
  const { store, go } = useSite();
  const instance = store.instance(id)?.value;
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    close.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [id]);
  return (
    <aside class="drawer" aria-label={`Instance ${id}`}>
      <header>
        <h2>{id}</h2>
        <button ref={close} type="button" class="icon" aria-label="Close" onClick={() => go({ instance: null })}>
          ✕
        </button>
      </header>
      {instance === undefined ? <p class="empty">This instance is gone.</p> : <Details instance={instance} />}
    </aside>
  );
}

function Details({ instance }: { instance: LiveInstance }) {
  const { store } = useSite();
  const { id, pid, host, port, weight, version, restarts, traffic, lastError, healthCause, agent } = instance;
  const facts: readonly (readonly [string, string])[] = [
    ['Version', printable(version ?? NOTHING)],
    ['Weight', String(weight)],
    ['Address', `${host}:${port}`],
    ...(instance.node === null ? [] : [['Node', instance.node] as const]),
    ['Process', pid === null ? NOTHING : String(pid)],
    ['Up for', upText(instance.startedAt, store.state.value.at)],
    ['Restarts', String(restarts)],
    ...(agent === undefined ? [] : [['Agent', printable(agent.id)] as const]),
  ];
  return (
    <>
      <div class="drawer-state">
        <State standing={lifecycleOf(instance)} />
        <State standing={healthOf(instance)} />
        <ServiceLink name={instance.service} />
      </div>
      <DrainText instance={instance} />
      {healthCause !== '' && <p class="cause">Last check: {printable(healthCause)}</p>}
      {lastError !== undefined && <p class="problem">{printable(lastError)}</p>}
      <InstanceButtons instance={instance} />
      <dl class="facts narrow">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="small-charts">
        <SmallChart id={id} label="Requests/s" figure="rps" now={traffic.rps} text={countText(traffic.rps)} />
        <SmallChart id={id} label="p99" figure="p99" now={traffic.p99} text={latencyText(traffic.p99)} />
        <SmallChart
          id={id}
          label="Errors"
          figure="errorRate"
          now={traffic.errorRate}
          text={percentText(traffic.errorRate)}
        />
        <SmallChart
          id={id}
          label="CPU"
          figure="cpu"
          now={instance.cpu ?? null}
          text={instance.cpu === undefined ? NOTHING : `${instance.cpu.toFixed(1)} %`}
        />
        <SmallChart
          id={id}
          label="Memory"
          figure="memory"
          now={instance.memory ?? null}
          text={bytesText(instance.memory ?? null)}
        />
        <div class="small-chart">
          <span>In flight</span>
          <strong>{countText(traffic.inFlight)}</strong>
        </div>
      </div>
      {isSpawned(instance) ? (
        <LogTail id={id} />
      ) : (
        <p class="empty">heimdall does not run this one, so it has no log of it.</p>
      )}
    </>
  );
}

function InstanceButtons({ instance }: { instance: LiveInstance }) {
  const { store, action } = useSite();
  if (instance.id.includes('@')) return null; // declared in the configuration, and somebody else's
  const remaining = store.instancesOf(instance.service).filter((other) => other.id !== instance.id && isHealthy(other));
  if (instance.status === 'draining') {
    return (
      <div class="buttons">
        <button type="button" class="danger" onClick={() => (action.value = forceInstance(instance))}>
          Stop now
        </button>
      </div>
    );
  }
  const known = new Set(store.instanceIds.peek());
  return (
    <div class="buttons">
      {isSpawned(instance) && (
        <button type="button" onClick={() => (action.value = restartInstance(instance, known))}>
          Restart
        </button>
      )}
      <button type="button" onClick={() => (action.value = weighInstance(instance))}>
        Weight
      </button>
      <button type="button" class="danger" onClick={() => (action.value = removeInstance(instance, remaining.length))}>
        Remove
      </button>
    </div>
  );
}

function SmallChart(props: {
  readonly id: string;
  readonly label: string;
  readonly figure: InstanceFigure;
  readonly now: number | null;
  readonly text: string;
}) {
  const { store } = useSite();
  const values = () => [...store.history.instance(props.id, props.figure), props.now];
  return (
    <div class="small-chart">
      <span>{props.label}</span>
      <strong>{props.text}</strong>
      <Sparkline label={`${props.label} of ${props.id}, last 15 minutes`} values={values} />
    </div>
  );
}

/** Not declared in the configuration, and not announced by an agent. */
function isSpawned({ id, agent }: LiveInstance): boolean {
  return agent === undefined && !id.includes('@');
}
