import { dirname, join } from 'node:path';
import { loadConfig, type LoadedConfig } from '../../internal/config/load.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { loadOptions } from '../runtime/arguments.ts';
import { ProcessRegister } from '../runtime/living-process.ts';
import { runProcess } from '../runtime/run-process.ts';
import { banner, waitForInstances } from './banner.ts';
import { ChildProcess } from './child-process.ts';

/** What a process that is asked to stop may take beyond its deadlines for requests and instances, in milliseconds. */
const SPARE_MS = 20_000;
/** The load balancer's deadline for running requests. */
const CLOSE_MS = 30_000;

export interface UpArguments {
  /** Path of the configuration file; undefined: from the environment or `./config.json`. */
  readonly config: string | undefined;
  /** Leave the instances running at the end; the next manager adopts them. */
  readonly keep: boolean;
}

/**
 * `heimdall up`: manager and load balancer as processes of their own, each started again when it dies. The end of this
 * one, however it comes, ends both: they watch the channel to it.
 */
export function up({ config, keep }: UpArguments): Promise<void> {
  return runProcess(async () => {
    const options = loadOptions(config);
    const loaded = await loadConfig(options);
    const log = createLogger({ name: 'heimdall', level: loaded.config.log.level });
    const args = config === undefined ? [] : ['--config', config];
    const register = new ProcessRegister(join(dirname(loaded.config.registry.path), 'run'));
    const loadBalancer = new ChildProcess('load-balancer', args, log, register);
    const manager = new ChildProcess('server-manager', keep ? [...args, '--keep'] : args, log, register);
    // The load balancer goes first: it takes no more connections and finishes what runs, on instances that still do.
    const stop = async () => {
      const present = await loadConfig(options).catch(() => loaded); // the file may have changed since
      await loadBalancer.stop(CLOSE_MS + SPARE_MS);
      await manager.stop(longestDrainMs(present) + SPARE_MS);
    };
    try {
      const [proxy, api] = await Promise.all([loadBalancer.start(), manager.start()]);
      const addresses = { ...proxy.addresses, ...api.addresses };
      void announce(loaded, addresses, keep);
      return { log, addresses, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  });
}

/** A manager that is killed sooner would leave its instances running. */
function longestDrainMs({ config: { services } }: LoadedConfig): number {
  return Math.max(0, ...services.map(({ drainTimeout, stopTimeout }) => drainTimeout + stopTimeout));
}

/** Tells what runs where once the instances are up; the processes' own logs tell meanwhile what goes on. */
async function announce(
  loaded: LoadedConfig,
  addresses: Readonly<Record<string, string>>,
  keep: boolean,
): Promise<void> {
  const instances = await waitForInstances(addresses.api ?? '', loaded.config.manager.token);
  process.stdout.write(banner(loaded, addresses, instances, keep));
}
