import { authority } from '../model/address.ts';
import { configuredInstances, type Service } from '../model/service.ts';
import type { LoadedConfig } from './load.ts';
import { ConfigError } from './problem.ts';
import { warningsOf } from './refused-ports.ts';
import type { Config } from './schema.ts';

export interface CheckReport {
  readonly ok: boolean;
  /** Ends with a line break. */
  readonly text: string;
}

/** What `heimdall check` prints: the problems, or in short what would run. As `json`: `{ ok, problems, warnings }`. */
export function renderCheck(result: LoadedConfig | ConfigError, format: 'text' | 'json'): CheckReport {
  const problems = result instanceof ConfigError ? result.problems : [];
  const warnings = result instanceof ConfigError ? [] : warningsOf(result.config);
  const ok = !(result instanceof ConfigError);
  if (format === 'json') return { ok, text: `${JSON.stringify({ ok, problems, warnings }, null, 2)}\n` };
  return { ok, text: `${result instanceof ConfigError ? result.message : summary(result)}\n` };
}

function summary({ config, path, overrides }: LoadedConfig): string {
  const { manager, proxy, registry, ports, services, alerts } = config;
  const rows = [
    ['manager', authority(manager.host, manager.port)],
    ['load balancer', `${authority(proxy.host, proxy.port)}, admin ${authority(proxy.admin.host, proxy.admin.port)}`],
    [
      'registry',
      registry.etcd ? `etcd ${registry.etcd.endpoints.join(', ')}, prefix ${registry.etcd.prefix}` : registry.path,
    ],
    ['ports', `${ports.from} to ${ports.to}`],
    ...services.map((service) => [`service ${service.name}`, describeService(service)]),
    ...(services.length === 0 ? [['services', 'none']] : []),
    ['alerts', describeAlerts(alerts)],
    ...(overrides.length > 0 ? [['environment', overrides.join(', ')]] : []),
    ...warningsOf(config).map(({ path: key, message }) => ['warning', `${key}: ${message}`]),
  ];
  const width = Math.max(...rows.map(([name = '']) => name.length));
  const lines = rows.map(([name = '', text]) => `  ${name.padEnd(width)}  ${text}`);
  return [`${path ?? 'The built-in sample configuration'} is valid.`, ...lines].join('\n');
}

function describeService(service: Service): string {
  const { command, servers, agents, algorithm, routes } = service;
  const parts = [
    ...(command ? [`${configuredInstances(service)} spawned`] : []),
    ...(servers.length > 0 ? [`${servers.length} declared`] : []),
    ...(agents ? ['those of agents'] : []),
  ];
  return `${parts.join(' + ')}, ${algorithm}, ${routes.map(({ host, path }) => host + path).join(' ')}`;
}

function describeAlerts({ email, webhooks, rules }: Config['alerts']): string {
  return `e-mail channels: ${email.length}, webhooks: ${webhooks.length}, rules: ${rules.length}`;
}
