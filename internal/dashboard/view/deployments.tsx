import type { LiveDeployment } from '../../model/live.ts';
import { printable } from '../../model/printable.ts';
import { clockText, spanText } from '../format.ts';
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
};

export function Deployments({ service }: { readonly service: string }) {
  const { store } = useSite();
  const deployments = store.deployments.value.filter((deployment) => deployment.service === service);
  return (
    <Panel title="Deployments">
      {deployments.length === 0 && <p class="empty">None lately.</p>}
      {deployments.map((deployment) => (
        <details key={deployment.id} class="deployment" open={deployment.finishedAt === null}>
          <summary>
            <DeploymentHead deployment={deployment} />
          </summary>
          <DeploymentSteps deployment={deployment} />
        </details>
      ))}
    </Panel>
  );
}

export function DeploymentHead({ deployment }: { readonly deployment: LiveDeployment }) {
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
        #{id} by {printable(by)}, {clockText(createdAt)}
        {startedAt !== null && `, ${spanText(Date.parse(until) - Date.parse(startedAt))}`}
      </span>
    </span>
  );
}

/** What it did and saw so far, and why it went back. */
export function DeploymentSteps({ deployment: { steps, reason } }: { readonly deployment: LiveDeployment }) {
  return (
    <>
      {reason !== undefined && <p class="problem">{printable(reason)}</p>}
      <ol class="steps">
        {steps.map(({ at, message, logTail }, index) => (
          <li key={`${at} ${index}`}>
            <time dateTime={at}>{clockText(at)}</time> {printable(message)}
            {logTail !== undefined && <pre class="log-tail">{printable(logTail.join('\n'))}</pre>}
          </li>
        ))}
      </ol>
    </>
  );
}
