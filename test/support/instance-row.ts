import type { Instance } from '../../internal/model/instance.ts';

/** Apart from the other fakes because threads need it, and load no schemas. */
export function instance(id: string, overrides: Partial<Instance> = {}): Instance {
  return {
    id,
    service: 'web',
    host: '127.0.0.1',
    port: 9_000,
    node: null,
    agent: null,
    weight: 1,
    version: null,
    lifecycle: 'ready',
    process: null,
    env: {},
    startedAt: 1,
    variant: null,
    deployment: null,
    restarts: 0,
    lastError: null,
    ...overrides,
  };
}
