import { resolve } from 'node:path';
import type { Logger } from '../../../pkg/logger/logger.ts';
import type { ProxyRegistry } from '../registry.ts';
import { Connection } from './connection.ts';
import { SqliteProxyRegistry } from './proxy-registry.ts';

/** Short: whoever reports does so again within the second. */
const PATIENCE_MS = 200;
/** Much longer than the manager's, so that the disk work is the manager's as long as it runs. */
const CHECKPOINT_PAGES = 8_000;

interface ProxyRegistryOptions {
  /** Of the registry's file; made with its folder when missing. */
  readonly path: string;
  /** Names this load balancer among those on the same registry. */
  readonly proxyId: string;
  readonly pid: number;
  /** Epoch milliseconds; default: the system's clock. */
  readonly clock?: () => number;
  readonly log?: Logger;
  /** Whether a missing file is made; true by default. */
  readonly creates?: boolean;
}

/**
 * The load balancer's side of the registry. Never fails: the file is opened when it is first needed, and until that
 * succeeds every operation rejects and tries anew at the next call.
 */
export function openProxyRegistry(options: ProxyRegistryOptions): ProxyRegistry {
  const { proxyId, pid, clock = Date.now, log, creates = true } = options;
  const path = resolve(options.path);
  const connection = new Connection({ path, patience: PATIENCE_MS, checkpointPages: CHECKPOINT_PAGES, log, creates });
  return new SqliteProxyRegistry({ connection, proxyId, pid, clock, log });
}
