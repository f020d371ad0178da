import { Agent } from '../../internal/agent/agent.ts';
import { ManagerAnnouncer } from '../../internal/agent/manager-announcer.ts';
import type { AgentSettings } from '../../internal/agent/settings.ts';
import { systemClock } from '../../pkg/clock/clock.ts';
import { createLogger, type LoggerOptions } from '../../pkg/logger/logger.ts';
import { runProcess } from '../runtime/run-process.ts';

export interface AgentRun {
  readonly settings: AgentSettings;
  readonly token: string | undefined;
  readonly level: LoggerOptions['level'];
}

/** Runs an agent until SIGTERM or SIGINT, which drain its apps; a second signal ends it at once. SIGHUP announces again what was removed. */
export function runAgent({ settings, token, level }: AgentRun): Promise<void> {
  return runProcess(async () => {
    const log = createLogger({ name: 'agent', level });
    const announcer = new ManagerAnnouncer({ settings, token, log });
    const { apps } = settings;
    const agent = new Agent({ apps, announcer, clock: systemClock, random: Math.random, log });
    log.info(
      `agent of ${settings.node}: ${apps.map(nameOf).join(', ')}, announced to ${settings.managers.join(' or ')}`,
    );
    agent.start();
    if (!process.stdout.isTTY) process.on('SIGHUP', () => agent.readmit()); // a terminal's end is the agent's, too
    return { log, addresses: {}, stop: () => agent.stop() };
  });
}

function nameOf({
  service,
  host = '127.0.0.1',
  port,
  healthCheck: { type, path },
}: AgentSettings['apps'][number]): string {
  return `${service} on ${host}:${port} (probed ${type === 'tcp' ? 'by connecting' : `at ${path}`})`;
}
