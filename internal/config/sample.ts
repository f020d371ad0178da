import type { z } from 'zod';
import type { ConfigSchema } from './schema.ts';

/**
 * What runs when there is no configuration file: three instances of the sample backend behind the load balancer.
 * @param sampleBackend - absolute path of the sample backend's main file.
 */
export function sampleConfig(sampleBackend: string): z.input<typeof ConfigSchema> {
  return {
    ports: { from: 9001, to: 9999 },
    services: [{ name: 'web', command: ['node', sampleBackend], instances: 3 }],
  };
}
