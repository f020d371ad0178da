import { availableParallelism } from 'node:os';
import type { Config } from '../../internal/config/schema.ts';
import type { AccessLogCounts } from '../../internal/proxy/access-log/access-log.ts';
import type { Engine } from '../../internal/proxy/engine.ts';
import { SharedState } from '../../internal/proxy/shared-state.ts';
import { ROOM, SlotAllocator } from '../../internal/proxy/slot-allocator.ts';
import type { Traces } from '../../internal/proxy/tracing/traces.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import type { DataPlane } from './data-plane.ts';

/** Whether several sockets can share a port so that the system spreads connections over them. */
export const SHARES_PORTS = process.platform === 'linux' || process.platform === 'freebsd';

export interface EngineParts {
  readonly config: Config;
  readonly log: Logger;
  readonly cookieSecret: string;
  /** Of `slotsFor` the same configuration. */
  readonly slots: SlotAllocator;
  readonly plane: DataPlane;
  readonly traces: Traces;
}

/** An engine as the process runs it. */
export interface RunningEngine extends Engine {
  readonly name: Config['proxy']['engine'];
  /** How many of them take requests. */
  readonly threads: number;
  /** Of the access log. */
  readonly accessLog: AccessLogCounts;
  /** The pools, their members or their settings have changed. */
  changed(): void;
  /** Takes over what concerns the engine. */
  apply(config: Config): void;
  /** To be called when its listeners are closed. */
  stop(): Promise<void>;
}

/** How many threads take requests. */
export function threadsOf({ proxy }: Config): number {
  if (proxy.engine === 'middleware' || !SHARES_PORTS) return 1;
  return proxy.threads === 'auto' ? availableParallelism() : proxy.threads;
}

/** The memory that the engine's threads share. */
export function slotsFor(config: Config): SlotAllocator {
  return new SlotAllocator(SharedState.create({ ...ROOM, threads: threadsOf(config) }));
}
