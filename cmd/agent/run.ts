import { Agent } from '../../internal/agent/agent.ts';
import type { Announcer } from '../../internal/agent/announcer.ts';
import type { AgentSettings } from '../../internal/agent/settings.ts';
import { systemClock } from '../../pkg/clock/clock.ts';
import { createLogger, type Logger, type LoggerOptions } from '../../pkg/logger/logger.ts';
import { runProcess } from '../runtime/run-process.ts';
import { addressTowards } from './own-address.ts';

export interface AgentRun {
  readonly settings: AgentSettings;
  /** Of the managers; undefined: they ask for none. */
  readonly token: string | undefined;
  /** As it is now where it is kept. */
  readonly readToken: () => Promise<string | undefined>;
  readonly level: LoggerOptions['level'];
}

/** Runs an agent until SIGTERM or SIGINT, which drain its apps; a second signal ends it at once. SIGHUP announces again what was removed. */
export function runAgent({ settings, level, ...access }: AgentRun): Promise<void> {
  return runProcess(async () => {
    const log = createLogger({ name: 'agent', level });
    const { apps, node, managers, etcd } = settings;
    const announcer = await announcerOf(settings, access, log);
    const agent = new Agent({ apps, announcer, clock: systemClock, random: Math.random, log });
    const places = etcd === undefined ? managers.join(' or ') : `etcd at ${etcd.endpoints.join(' or ')}`;
    log.info(`agent of ${node}: ${apps.map(nameOf).join(', ')}, announced to ${places}`);
    agent.start();
    if (!process.stdout.isTTY) process.on('SIGHUP', () => agent.readmit()); // a terminal's end is the agent's, too
    return { log, addresses: {}, stop: () => agent.stop() };
  });
}

/** Each loads what it needs alone. */
async function announcerOf(
  settings: AgentSettings,
  access: Pick<AgentRun, 'token' | 'readToken'>,
  log: Logger,
): Promise<Announcer> {
  const { node, id: agent = node, etcd } = settings;
  if (etcd === undefined) {
    const { ManagerAnnouncer } = await import('../../internal/agent/manager-announcer.ts');
    return new ManagerAnnouncer({ settings, ...access, log });
  }
  const { RegistryAnnouncer } = await import('../../internal/agent/registry-announcer.ts');
  const { openEtcdAgent } = await import('../../internal/registry/etcd/open-agent.ts');
  const registry = openEtcdAgent({ etcd, agent, log: log.child({ subsystem: 'registry' }) });
  const ownHost = () => addressTowards(etcd.endpoints);
  const place = `etcd at ${etcd.endpoints.join(' or ')}`;
  return new RegistryAnnouncer({ registry, agent, node, ownHost, place, clock: Date.now, log });
}

function nameOf({
  service,
  host = '127.0.0.1',
  port,
  healthCheck: { type, path },
}: AgentSettings['apps'][number]): string {
  return `${service} on ${host}:${port} (probed ${type === 'tcp' ? 'by connecting' : `at ${path}`})`;
}
