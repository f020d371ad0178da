import { loadConfig } from '../../internal/config/load.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { loadOptions } from '../runtime/arguments.ts';
import { runProcess } from '../runtime/run-process.ts';
import { ManagerProcess } from './manager-process.ts';

export interface ServerManagerArguments {
  /** Path of the configuration file; undefined: from the environment or `./config.json`. */
  readonly config: string | undefined;
  /** Leave the instances running when the manager stops; the next one adopts them. */
  readonly keep: boolean;
}

export function runServerManager({ config, keep }: ServerManagerArguments): Promise<void> {
  return runProcess(async () => {
    const options = loadOptions(config);
    const loaded = await loadConfig(options);
    const log = createLogger({ name: 'server-manager', level: loaded.config.log.level });
    return ManagerProcess.start(loaded, { reload: () => loadConfig(options), baseEnv: process.env, keep, log });
  });
}
