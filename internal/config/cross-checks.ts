import { validate as isCron } from 'node-cron';
import { authority } from '../model/address.ts';
import { MAX_RATE_LIMITS } from '../model/room.ts';
import { configuredInstances, type Service } from '../model/service.ts';
import { alertFaults } from './alert-checks.ts';
import { hostsOverlap, isLoopback, isWildcard } from './host.ts';
import type { Fault } from './issues.ts';
import type { Path } from './problem.ts';
import { unreachableInterfaces } from './refused-ports.ts';
import { registryFaults } from './registry-checks.ts';
import type { Sections } from './sections.ts';

/** Finds what no section can tell by itself. Checks of sections that are missing are left out. */
export function crossCheck(sections: Sections): Fault[] {
  return [
    ...exposedListeners(sections),
    ...collidingListeners(sections),
    ...unreachableInterfaces(sections),
    ...vagueNode(sections),
    ...portRange(sections),
    ...missingProxyProtocol(sections),
    ...sections.services.flatMap((service, index) => (service ? incompleteService(service, index) : [])),
    ...sections.services.flatMap((service, index) => (service ? repeatedServers(service, index) : [])),
    ...sections.services.flatMap((service, index) => (service ? changesOfNumber(service, index) : [])),
    ...repeatedNames(sections.services),
    ...alertFaults(sections),
    ...registryFaults(sections),
    ...repeatedRoutes(sections.services),
    ...tooManyLimits(sections.services),
  ];
}

function exposedListeners({ manager, proxy }: Sections): Fault[] {
  if (!manager || manager.token !== undefined) return [];
  const remedy = 'set manager.token, or use "127.0.0.1"';
  const faults: Fault[] = [];
  if (!isLoopback(manager.host)) {
    const message = `whoever reaches the API can run commands on this machine: ${remedy}`;
    faults.push({ path: ['manager', 'host'], message });
  }
  if (proxy && !isLoopback(proxy.admin.host)) {
    const message = `the admin port is open to everyone who reaches it: ${remedy}`;
    faults.push({ path: ['proxy', 'admin', 'host'], message });
  }
  return faults;
}

/** Instances are reached at an address, not at all of them. */
function vagueNode({ node }: Sections): Fault[] {
  if (!node || !isWildcard(node.address)) return [];
  const message = 'stands for all addresses: write the one at which the others reach this machine, such as "10.0.0.5"';
  return [{ path: ['node', 'address'], message }];
}

function missingProxyProtocol({ proxy }: Sections): Fault[] {
  if (proxy?.engine !== 'middleware' || !proxy.acceptProxyProtocol) return [];
  const message = 'the PROXY protocol is understood by proxy.engine "wire" only';
  return [{ path: ['proxy', 'acceptProxyProtocol'], message }];
}

interface Listener {
  readonly path: Path;
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

function listeners({ manager, proxy }: Sections): Listener[] {
  return [
    ...(manager ? [{ path: ['manager', 'port'], name: 'manager.port', ...manager }] : []),
    ...(proxy ? [{ path: ['proxy', 'port'], name: 'proxy.port', ...proxy }] : []),
    ...(proxy ? [{ path: ['proxy', 'admin', 'port'], name: 'proxy.admin.port', ...proxy.admin }] : []),
  ];
}

function collidingListeners(sections: Sections): Fault[] {
  return listeners(sections).flatMap((listener, index, all) => {
    const other = all
      .slice(0, index)
      .find(({ host, port }) => port === listener.port && hostsOverlap(host, listener.host));
    return other ? [{ path: listener.path, message: `port ${listener.port} is taken by ${other.name} already` }] : [];
  });
}

function portRange(sections: Sections): Fault[] {
  const { ports, services } = sections;
  if (!ports) return [];
  const { from, to } = ports;
  if (from > to) return [{ path: ['ports', 'from'], message: `must not be above ports.to, which is ${to}` }];
  const spawned = services.flatMap((service) => (service?.command ? [service] : []));
  if (spawned.length === 0) return []; // nothing uses the range
  const faults = listeners(sections)
    .filter(({ port }) => port >= from && port <= to)
    .map(({ path }): Fault => ({ path, message: `lies inside ports (${from} to ${to}), which instances use` }));
  const wanted = spawned.reduce((sum, service) => sum + configuredInstances(service), 0);
  const room = to - from + 1;
  if (wanted > room) {
    const message = `${from} to ${to} has room for ${room}, but the services want ${wanted} instances in all`;
    faults.push({ path: ['ports'], message });
  }
  return faults;
}

function incompleteService(service: Service, index: number): Fault[] {
  if (service.command) return [];
  const path = ['services', index];
  if (service.instances) return [{ path: [...path, 'instances'], message: 'needs a command that starts an instance' }];
  if (service.servers.length > 0 || service.agents) return [];
  const message = `the service "${service.name}" needs a command, or servers, or "agents": true for those that agents announce`;
  return [{ path, message }];
}

/** What changes the number of instances by itself, or exchanges them. */
function changesOfNumber(
  { command, rollout, autoscale, scaleFromZero, idleAfter, hold }: Service,
  index: number,
): Fault[] {
  const path = ['services', index];
  const faults: Fault[] = [];
  const fault = (key: Path, message: string) => faults.push({ path: [...path, ...key], message });
  if (rollout.maxSurge === 0 && rollout.maxUnavailable === 0) {
    fault(['rollout', 'maxSurge'], 'with maxUnavailable 0 as well, no instance could ever be replaced');
  }
  if (command === undefined && autoscale !== null) fault(['autoscale'], 'needs a command that starts an instance');
  if (command === undefined && scaleFromZero) fault(['scaleFromZero'], 'needs a command that starts an instance');
  if (scaleFromZero && hold.limit === 0) {
    fault(['hold', 'limit'], 'must be above 0 with scaleFromZero: a request that waits is what starts an instance');
  }
  if (idleAfter !== null && !scaleFromZero) {
    fault(['idleAfter'], 'needs scaleFromZero, or nothing would start the service again');
  }
  for (const [at, { cron }] of (autoscale?.schedule ?? []).entries()) {
    if (!isCron(cron) || cron.trim().split(/\s+/).length !== 5)
      fault(['autoscale', 'schedule', at, 'cron'], 'expected a cron expression of five fields, such as "0 9 * * 1-5"');
  }
  return faults;
}

function repeatedServers(service: Service, index: number): Fault[] {
  const addresses = service.servers.map(({ host, port }) => authority(host.toLowerCase(), port));
  return addresses.flatMap((address, at) => {
    const first = addresses.indexOf(address);
    if (first === at) return [];
    return [{ path: ['services', index, 'servers', at], message: `repeats servers[${first}]` }];
  });
}

function repeatedNames(services: Sections['services']): Fault[] {
  return services.flatMap((service, index) => {
    const first = services.findIndex((other) => service && other?.name === service.name);
    if (first === -1 || first === index) return [];
    return [{ path: ['services', index, 'name'], message: `is the name of services[${first}] already` }];
  });
}

/** Two services on the same host and path: one of them would never see a request. */
function repeatedRoutes(services: Sections['services']): Fault[] {
  const routes = services.flatMap((service, owner) =>
    (service?.routes ?? []).map(({ host, path }, at) => ({ owner, at, host, path })),
  );
  const owners = new Map<string, number>();
  return routes.flatMap(({ owner, at, host, path }) => {
    const key = `${host} ${path}`;
    const first = owners.get(key) ?? owner;
    owners.set(key, first);
    if (first === owner) return [];
    const message = `host "${host}" and path "${path}" belong to services[${first}] already; give this service a route of its own`;
    return [{ path: ['services', owner, 'routes', at], message }];
  });
}

function tooManyLimits(services: Sections['services']): Fault[] {
  const limits = services.flatMap((service, owner) =>
    (service?.routes ?? []).flatMap(({ rateLimit }, at) => (rateLimit === null ? [] : [{ owner, at }])),
  );
  const first = limits[MAX_RATE_LIMITS];
  if (first === undefined) return [];
  const message = `there is room for ${MAX_RATE_LIMITS} limits, but the services have ${limits.length} in all`;
  return [{ path: ['services', first.owner, 'routes', first.at, 'rateLimit'], message }];
}
