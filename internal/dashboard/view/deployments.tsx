import { useSignal } from '@preact/signals';
import type { DeploymentDetailsView, DeploymentView } from '../../model/deployment-view.ts';
import type { LiveDeployment } from '../../model/live.ts';
import { printable } from '../../model/printable.ts';
import { momentText, spanText, clockText } from '../format.ts';
import { State } from '../part/mark.tsx';
import { Panel } from '../part/panel.tsx';
import { useSite } from '../site.ts';
import type { Standing } from '../standing.ts';

const STANDINGS: Readonly<Record<LiveDeployment['state'], Standing>> = {
  queued: { word: 'queued', tone: 'idle', shape: 'ring' },
  running: { word: 'running', tone: 'busy', shape: 'turn' },
  'rolling-back': { word: 'rolling back', tone: 'warn', shape: 'turn' },
  succeeded: { word: 'succeeded', tone: 'good', shape: 'disc' },
  'rolled-back': { word: 'rolled back', tone: 'warn', shape: 'triangle' },
  failed: { word: 'failed', tone: 'bad', shape: 'cross' },
  skipped: { word: 'skipped', tone: 'idle', shape: 'ring' },
};

/** @param latest - those before the ones that the live stream tells of, too. */
export function Deployments({
  service,
  latest,
}: {
  readonly service: string;
  readonly latest: readonly DeploymentView[];
}) {
  const { store } = useSite();
  const live = store.deployments.value.filter((deployment) => deployment.service === service);
  const earlier = latest.filter(({ id }) => !live.some((deployment) => deployment.id === id));
  return (
    <Panel title="Deployments">
      {live.length + earlier.length === 0 && <p class="empty">None so far.</p>}
      {live.map((deployment) => (
        <details key={deployment.id} class="deployment" open={deployment.finishedAt === null}>
          <summary>
            <DeploymentHead deployment={deployment} />
          </summary>
          <DeploymentSteps deployment={deployment} />
        </details>
      ))}
      {earlier.map((deployment) => (
        <EarlierDeployment key={deployment.id} deployment={deployment} />
      ))}
    </Panel>
  );
}

/** Asks for its steps when it is opened. */
function EarlierDeployment({ deployment }: { readonly deployment: DeploymentView }) {
  const { client } = useSite();
  const told = useSignal<DeploymentDetailsView | null>(null);
  const trouble = useSignal('');
  const open = (event: Event) => {
    if (!(event.currentTarget instanceof HTMLDetailsElement && event.currentTarget.open)) return;
    client()
      .deployments.get(deployment.id)
      .then((found) => (told.value = found))
      .catch((error: unknown) => (trouble.value = error instanceof Error ? error.message : String(error)));
  };
  return (
    <details class="deployment" onToggle={open}>
      <summary>
        <DeploymentHead deployment={deployment} />
      </summary>
      {trouble.value !== '' && <p class="problem">{trouble.value}</p>}
      {told.value !== null && <DeploymentSteps deployment={told.value} />}
    </details>
  );
}

export function DeploymentHead({ deployment }: { readonly deployment: Omit<LiveDeployment, 'steps'> }) {
  const { store } = useSite();
  const { id, kind, version, by, createdAt, startedAt, finishedAt } = deployment;
  const until = finishedAt ?? store.state.value.at;
  return (
    <span class="deployment-head">
      <State standing={STANDINGS[deployment.state]} />
      <strong>
        {kind} {printable(version ?? '')}
      </strong>
      <span class="faint">
        #{id} by {printable(by)}, {momentText(createdAt, store.state.value.at)}
        {startedAt !== null && `, ${spanText(Date.parse(until) - Date.parse(startedAt))}`}
      </span>
    </span>
  );
}

/** What it did and saw so far, and why it went back. */
export function DeploymentSteps({ deployment: { steps, reason, nodes } }: { readonly deployment: LiveDeployment }) {
  return (
    <>
      {reason !== undefined && <p class="problem">{printable(reason)}</p>}
      {nodes.length > 1 && <DeploymentNodes nodes={nodes} />}
      <ol class="steps">
        {steps.map(({ at, node, message, logTail }, index) => (
          <li key={`${at} ${index}`}>
            <time dateTime={at}>{clockText(at)}</time>{' '}
            {nodes.length > 1 && node !== undefined && <strong>{node} </strong>}
            {printable(message)}
            {logTail !== undefined && <pre class="log-tail">{printable(logTail.join('\n'))}</pre>}
          </li>
        ))}
      </ol>
    </>
  );
}

/** How it goes on each node. */
function DeploymentNodes({ nodes }: { readonly nodes: LiveDeployment['nodes'] }) {
  return (
    <ul class="deployment-nodes">
      {nodes.map(({ node, state, version, reason }) => (
        <li key={node}>
          <State standing={STANDINGS[state]} /> <strong>{node}</strong> {printable(version ?? '')}{' '}
          {reason !== undefined && <span class="faint">{printable(reason)}</span>}
        </li>
      ))}
    </ul>
  );
}
