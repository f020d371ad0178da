import type { RouteView, ServiceDetailsView } from '../../model/service-view.ts';
import { addInstances } from '../action/instance-actions.ts';
import {
  changeSettings,
  deployService,
  pauseService,
  restartService,
  resumeService,
  rollbackService,
  scaleService,
} from '../action/service-actions.ts';
import { clockText, NOTHING, plural } from '../format.ts';
import { State } from '../part/mark.tsx';
import { Panel } from '../part/panel.tsx';
import { useSite } from '../site.ts';
import { isHealthy, serviceStanding, wantedOf } from '../standing.ts';
import type { LiveService } from '../../model/live.ts';
import { printable } from '../../model/printable.ts';
import { AlertsPanel } from './alerts-panel.tsx';
import { Deployments } from './deployments.tsx';
import { InstancesTable } from './instances-table.tsx';
import { ServiceCharts } from './service-charts.tsx';
import { Timeline } from './timeline.tsx';
import { useServiceDetails } from './use-service-details.ts';

const LATEST = 12;

export function ServicePage({ name }: { readonly name: string }) {
  const { store, feed } = useSite();
  const service = store.service(name)?.value;
  if (service !== undefined) return <ServiceView service={service} />;
  return <p class="empty">{feed.freshness.value.kind === 'loading' ? 'Loading…' : `There is no service “${name}”.`}</p>;
}

function ServiceView({ service }: { readonly service: LiveService }) {
  const { store } = useSite();
  const details = useServiceDetails(service);
  const { name } = service;
  const healthy = store.instancesOf(name).filter(isHealthy).length;
  return (
    <>
      <div class="page-head">
        <h1>{name}</h1>
        <State standing={serviceStanding(service, healthy)} />
        <span class="faint">
          {healthy} of {wantedOf(service)} healthy
        </span>
        <Actions service={service} />
      </div>
      <Facts service={service} details={details} />
      <ServiceCharts name={name} />
      <Panel title="Instances">
        <InstancesTable service={name} />
      </Panel>
      <div class="columns">
        <div class="stack">{service.spawned && <Deployments service={name} latest={details?.deployments ?? []} />}</div>
        <div class="stack">
          <AlertsPanel service={name} />
          <Timeline most={LATEST} service={name} />
        </div>
      </div>
    </>
  );
}

function Actions({ service }: { service: LiveService }) {
  const { action } = useSite();
  const isPaused = service.pausedSince !== null;
  return (
    <div class="buttons">
      {service.spawned && <SpawnButtons service={service} />}
      <button type="button" onClick={() => (action.value = isPaused ? resumeService(service) : pauseService(service))}>
        {isPaused ? 'Resume' : 'Pause'}
      </button>
      <button type="button" onClick={() => (action.value = changeSettings(service))}>
        Settings
      </button>
    </div>
  );
}

/** Of a service that heimdall starts instances of. */
function SpawnButtons({ service }: { service: LiveService }) {
  const { store, action, client, tell } = useSite();
  const deploy = () => {
    client()
      .services.get(service.name)
      .then(({ versions }) => (action.value = deployService(service, versions, store.nodes.peek())))
      .catch((error: unknown) => tell(String(error instanceof Error ? error.message : error), true));
  };
  return (
    <>
      <button type="button" class="primary" onClick={deploy}>
        Deploy
      </button>
      <button type="button" onClick={() => (action.value = addInstances(service, new Set(store.instanceIds.peek())))}>
        Add
      </button>
      <button type="button" onClick={() => (action.value = scaleService(service))}>
        Scale
      </button>
      <button type="button" onClick={() => (action.value = restartService(service, store.nodes.peek()))}>
        Restart
      </button>
      <button type="button" onClick={() => (action.value = rollbackService(service, store.nodes.peek()))}>
        Roll back
      </button>
    </>
  );
}

/** What is in force. */
function Facts({ service, details }: { service: LiveService; details: ServiceDetailsView | null }) {
  const { algorithm, weight, maxConnections, version, pausedSince, waiting, overridden, release } = service;
  const routes = details?.routes.map(routeText).join(', ');
  return (
    <dl class="facts">
      <Fact name="Algorithm" value={algorithm} isChanged={overridden.includes('algorithm')} />
      <Fact name="Version" value={printable(version ?? NOTHING)} />
      <Fact name="Wanted" value={String(wantedOf(service))} isChanged={overridden.includes('instances')} />
      <Fact name="Weight of new ones" value={String(weight)} isChanged={overridden.includes('weight')} />
      <Fact
        name="In flight per instance"
        value={maxConnections === null ? 'no limit' : `≤ ${maxConnections}`}
        isChanged={overridden.includes('maxConnections')}
      />
      <Fact name="Routes" value={routes ?? NOTHING} />
      {release.env.length > 0 && <Fact name="Variables" value={release.env.join(', ')} />}
      {pausedSince !== null && <Fact name="Paused since" value={clockText(pausedSince)} />}
      {waiting > 0 && <Fact name="Waiting" value={String(waiting)} />}
    </dl>
  );
}

function routeText({ host, path, rateLimit }: RouteView): string {
  const where = host === '*' ? path : `${host}${path}`;
  return rateLimit === null ? where : `${where} (${plural(rateLimit.requests, 'request')} per ${rateLimit.per})`;
}

function Fact({ name, value, isChanged = false }: { name: string; value: string; isChanged?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {isChanged && (
          <span class="faint" title="set by hand, not as configured">
            {' '}
            by hand
          </span>
        )}
      </dd>
    </div>
  );
}
