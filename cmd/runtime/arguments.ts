import { parseArgs } from 'node:util';
import type { LoadOptions } from '../../internal/config/load.ts';
import { mainFile } from './package-info.ts';

/** Where the configuration of this process comes from: `--config PATH`, the environment, or `./config.json`. */
export function loadOptions(config: string | undefined): LoadOptions {
  return { path: config, env: process.env, cwd: process.cwd(), sampleBackend: mainFile('test-server') };
}

/** The options that the mains of manager and load balancer take by themselves. */
export function parseMainArguments(): { readonly config: string | undefined; readonly keep: boolean } {
  try {
    const { values } = parseArgs({
      options: { config: { type: 'string' }, keep: { type: 'boolean', default: false } },
    });
    return { config: values.config, keep: values.keep };
  } catch (error) {
    process.stderr.write(`heimdall: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  }
}
