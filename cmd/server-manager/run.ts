import { loadConfig } from '../../internal/config/load.ts';
import { listenError } from '../../internal/model/listen-error.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { freePort } from '../../pkg/sockets/free-port.ts';
import { loadOptions } from '../runtime/arguments.ts';
import { Inheritance } from '../runtime/inheritance.ts';
import type { LivingProcess } from '../runtime/living-process.ts';
import type { Address } from '../runtime/movable-listener.ts';
import { runProcess } from '../runtime/run-process.ts';
import { ManagerProcess } from './manager-process.ts';
import { prepareMove } from './registry-move.ts';

export interface ServerManagerArguments {
  /** Path of the configuration file; undefined: from the environment or `./config.json`. */
  readonly config: string | undefined;
  /** Leave the instances running when the manager stops; the next one adopts them. */
  readonly keep: boolean;
}

export function runServerManager({ config, keep }: ServerManagerArguments): Promise<void> {
  const inheritance = Inheritance.from(process.env);
  const start = async (starter: LivingProcess | null) => {
    const options = loadOptions(config);
    const loaded = await loadConfig(options);
    const log = createLogger({ name: 'server-manager', level: loaded.config.log.level });
    if (inheritance.isSuccessor && !inheritance.has('api', loaded.config.manager))
      await tryAddress(loaded.config.manager);
    const move = await prepareMove(inheritance.registry, loaded.config, log);
    await inheritance.untilGo(); // only one process at a time can manage a registry
    await move?.();
    const reload = () => loadConfig(options);
    return ManagerProcess.start(loaded, { reload, baseEnv: process.env, keep, log, inheritance, starter });
  };
  return runProcess(start, { name: 'server-manager', inheritance });
}

/** Whoever has given up the registry must not find out that the address is taken. */
async function tryAddress({ host, port }: Address): Promise<void> {
  try {
    await freePort(host, port);
  } catch (error) {
    throw listenError(error, host, port, { key: 'manager', variable: 'MANAGER_PORT' });
  }
}
