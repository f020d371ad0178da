import { loadConfig } from '../../internal/config/load.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { loadOptions } from '../runtime/arguments.ts';
import { Inheritance } from '../runtime/inheritance.ts';
import type { LivingProcess } from '../runtime/living-process.ts';
import { runProcess } from '../runtime/run-process.ts';
import { LoadBalancer } from './load-balancer.ts';

/** @param config - path of the configuration file; undefined: from the environment or `./config.json`. */
export function runLoadBalancer(config: string | undefined): Promise<void> {
  const inheritance = Inheritance.from(process.env);
  const start = async (starter: LivingProcess | null) => {
    const options = loadOptions(config);
    const loaded = await loadConfig(options);
    const log = createLogger({ name: 'load-balancer', level: loaded.config.log.level });
    return LoadBalancer.start(loaded, { reload: () => loadConfig(options), log, inheritance, starter });
  };
  return runProcess(start, { name: 'load-balancer', inheritance });
}
