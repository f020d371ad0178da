import type { Logger } from '../../../pkg/logger/logger.ts';
import type { EtcdSettings } from '../../model/registry-settings.ts';
import { HEARTBEAT_LIMIT_MS } from '../registry.ts';
import { MOST_REQUEST_KEYS } from '../request-keys.ts';
import { refuseHalfCopy } from './copying.ts';
import { Mirror } from './mirror.ts';
import { ensureId } from './registry-id.ts';
import { Store } from './store.ts';
import { managerOf, Tenure } from './tenure.ts';
import { EtcdWriter } from './writer.ts';

interface ManagerRegistryOptions {
  readonly etcd: EtcdSettings;
  /** Whose manager it is. */
  readonly node: string;
  /** Epoch milliseconds; default: the system's clock. */
  readonly clock?: () => number;
  readonly pid?: number;
  readonly log?: Logger;
  /** For how long a manager is waited for that has the node and gives no sign of life, in milliseconds. */
  readonly patience?: number;
  /** Of requests that must not be carried out twice, see `RequestKeys`; default: `MOST_REQUEST_KEYS`. */
  readonly mostRequestKeys?: number;
}

/**
 * Opens a manager's side of the registry in etcd, and takes the node.
 * @throws {HeimdallError} MANAGER_RUNNING naming the node and the other's pid and host; REGISTRY_UNAVAILABLE, also as long as
 *   another registry is being copied into it; REGISTRY_BROKEN.
 */
export async function openEtcdManager(options: ManagerRegistryOptions): Promise<EtcdWriter> {
  const { etcd, node, clock = Date.now, pid = process.pid, log, patience = 2 * HEARTBEAT_LIMIT_MS } = options;
  const { mostRequestKeys = MOST_REQUEST_KEYS } = options;
  const store = new Store(etcd);
  const startedAt = clock();
  const mirror = new Mirror({ store, beginning: 'state/', log });
  const told = new Mirror({ store, beginning: 'told/', log });
  const requests = new Mirror({ store, beginning: 'requests/', log });
  try {
    await refuseHalfCopy(store);
    await ensureId(store);
    const me = await managerOf({ node, pid, startedAt });
    const tenure = await Tenure.begin({ store, me, log }, patience);
    const writer = new EtcdWriter({
      store,
      mirror,
      told,
      requests,
      mostRequestKeys,
      clock,
      log,
      tenure,
      node,
      pid,
      startedAt,
    });
    try {
      await refuseHalfCopy(store); // one that began meanwhile may not have seen this manager
      await writer.snapshot();
    } catch (error) {
      await writer.close();
      throw error;
    }
    return writer;
  } catch (error) {
    await store.close();
    throw error;
  }
}
