import type { ServiceDetailsView, ServiceView } from '../../../internal/model/service-view.ts';
import type { Told } from '../../../internal/model/told.ts';
import { aligned } from '../aligned.ts';
import { marked } from '../terminal/mark.ts';
import type { Paint } from '../terminal/paint.ts';
import { firstLine } from '../terminal/printable.ts';
import { ageText } from '../terminal/units.ts';
import { deploymentsText } from './deployments-text.ts';
import { serversText } from './servers-text.ts';

const HEAD = ['service', 'state', 'running', 'declared', 'version', 'algorithm', 'by hand'];
const TEXTS = [0, 1, 4, 5, 6];

/** A row for each service. */
export function servicesText(services: readonly ServiceView[], paint: Paint): string {
  if (services.length === 0) return 'no services are configured\n';
  const rows = services.map((service) => [
    service.name,
    stateText(service, paint),
    `${service.running}/${service.desired + service.announced}`,
    String(service.declared),
    firstLine(service.version ?? '-'),
    service.algorithm,
    service.overridden.join(', ') || '-',
  ]);
  return aligned([HEAD.map((cell) => paint('dim', cell)), ...rows], TEXTS);
}

/** One service with its instances and latest deployments. @param now - epoch milliseconds. */
export function serviceText(service: ServiceDetailsView, paint: Paint, now: number): string {
  const { name, algorithm, maxConnections, weight, overridden, version, routes, versions, pausedSince } = service;
  const rows = [
    ['service', paint('bold', name)],
    ['state', stateText(service, paint)],
    ...(pausedSince === null ? [] : [['paused', `for ${ageText(pausedSince, now)}; new requests are held`]]),
    ['instances', instancesText(service)],
    ['version', firstLine(version ?? '-')],
    ['algorithm', algorithm],
    ['connections', maxConnections === null ? 'no limit' : `${maxConnections} of each instance at most`],
    ['weight', `${weight} of new instances`],
    ['by hand', overridden.join(', ') || '-'],
    ['routes', routes.map(({ host, path }) => host + path).join(' ')],
    ...(versions.length === 0 ? [] : [['versions', versions.join(', ')]]),
  ];
  const instances = `\n${serversText(service.instances, paint, now)}`;
  const deployments = service.deployments.length === 0 ? '' : `\n${deploymentsText(service.deployments, paint, now)}`;
  return aligned(rows, [0, 1]) + instances + deployments;
}

function instancesText({ running, desired, declared, announced }: Told<ServiceView>): string {
  const ofAgents = announced === 0 ? '' : `, ${announced} of them announced by agents`;
  return `${running} of ${desired + announced} running${ofAgents}, ${declared} declared`;
}

/** What a person should know of a service first. */
export function stateText(service: Told<ServiceView>, paint: Paint): string {
  const { pausedSince, deploying, error, starting, draining, running, declared, desired, announced } = service;
  if (pausedSince !== null) return marked('busy', 'paused', paint);
  if (deploying !== null) return marked('busy', `deploying ${deploying}`, paint);
  if (error > 0) return marked('bad', `${error} failed`, paint);
  if (running + declared === 0) return marked('idle', desired + announced === 0 ? 'asleep' : 'down', paint);
  if (starting > 0) return marked('busy', `${starting} starting`, paint);
  return draining > 0 ? marked('busy', `${draining} draining`, paint) : marked('well', 'running', paint);
}
