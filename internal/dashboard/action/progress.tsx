import { DrainText } from '../view/drain-text.tsx';
import { DeploymentHead, DeploymentSteps } from '../view/deployments.tsx';
import { State } from '../part/mark.tsx';
import { useSite } from '../site.ts';
import { instanceStanding } from '../standing.ts';
import type { Watch } from './action.ts';

/** How something that was begun goes on, as the live stream tells it. */
export function Progress({ watch }: { readonly watch: Watch }) {
  if (watch.kind === 'drain') return <Drain id={watch.instance} />;
  if (watch.kind === 'start') return <Starts service={watch.service} known={watch.known} />;
  return <DeploymentProgress id={watch.id} />;
}

function Drain({ id }: { id: string }) {
  const { store } = useSite();
  const instance = store.instance(id)?.value;
  if (instance === undefined) return <p>{id} is gone.</p>;
  return (
    <p class="progress">
      <State standing={instanceStanding(instance)} /> <DrainText instance={instance} />
    </p>
  );
}

function Starts({ service, known }: { service: string; known: ReadonlySet<string> }) {
  const { store } = useSite();
  const started = store.instancesOf(service).filter(({ id }) => !known.has(id));
  return (
    <ul class="progress">
      {started.map((instance) => (
        <li key={instance.id}>
          <State standing={instanceStanding(instance)} /> {instance.id}
        </li>
      ))}
    </ul>
  );
}

function DeploymentProgress({ id }: { id: number }) {
  const { store } = useSite();
  const deployment = store.deployments.value.find((each) => each.id === id);
  if (deployment === undefined) return <p class="progress">Waiting for its first step…</p>;
  return (
    <div class="progress">
      <DeploymentHead deployment={deployment} />
      <DeploymentSteps deployment={deployment} />
    </div>
  );
}
