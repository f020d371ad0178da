import type { Logger } from '../../../pkg/logger/logger.ts';
import type { EtcdSettings } from '../../model/registry-settings.ts';
import { EtcdAgentRegistry } from './agent-registry.ts';
import { Mirror } from './mirror.ts';
import { Store } from './store.ts';

interface AgentOptions {
  readonly etcd: EtcdSettings;
  readonly agent: string;
  /** Epoch milliseconds; default: the system's clock. */
  readonly clock?: () => number;
  readonly log?: Logger;
}

/** An agent's side of the registry in etcd. Never fails: members are called when they are first needed. */
export function openEtcdAgent({ etcd, agent, clock = Date.now, log }: AgentOptions): EtcdAgentRegistry {
  const store = new Store(etcd);
  const mirror = new Mirror({ store, beginning: 'state/', log });
  return new EtcdAgentRegistry({ store, mirror, clock, log, agent });
}
