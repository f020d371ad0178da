import { availableParallelism } from 'node:os';
import type { Config } from '../../internal/config/schema.ts';
import type { Engine, RequestRecord } from '../../internal/proxy/engine.ts';
import { MiddlewareEngine } from '../../internal/proxy/middleware/engine.ts';
import { logRequest } from '../../internal/proxy/request-log.ts';
import { SharedState } from '../../internal/proxy/shared-state.ts';
import { ROOM, SlotAllocator } from '../../internal/proxy/slot-allocator.ts';
import type { LogSettings } from '../../internal/proxy/threads/messages.ts';
import { ThreadAlerts } from '../../internal/proxy/threads/thread-alerts.ts';
import { ThreadedEngine } from '../../internal/proxy/threads/threaded-engine.ts';
import { sharedNow } from '../../pkg/clock/shared-now.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import type { DataPlane } from './data-plane.ts';

/** Where several sockets can share a port so that the system spreads connections over them. */
const SHARES_PORTS: ReadonlySet<NodeJS.Platform> = new Set(['linux', 'freebsd']);

export interface EngineParts {
  readonly config: Config;
  readonly log: Logger;
  readonly cookieSecret: string;
  /** Of `slotsFor` the same configuration. */
  readonly slots: SlotAllocator;
  readonly plane: DataPlane;
}

/** An engine as the process runs it. */
export interface RunningEngine extends Engine {
  readonly name: Config['proxy']['engine'];
  /** How many of them take requests. */
  readonly threads: number;
  /** The pools, their members or their settings have changed. */
  changed(): void;
  /** Takes over what concerns the engine. */
  apply(config: Config): void;
  /** To be called when its listeners are closed. */
  stop(): Promise<void>;
}

/** How many threads take requests. */
function threadsOf({ proxy }: Config): number {
  if (proxy.engine === 'middleware' || !SHARES_PORTS.has(process.platform)) return 1;
  return proxy.threads === 'auto' ? availableParallelism() : proxy.threads;
}

/** The memory that the engine's threads share. */
export function slotsFor(config: Config): SlotAllocator {
  return new SlotAllocator(SharedState.create({ ...ROOM, threads: threadsOf(config) }));
}

export function createEngine(parts: EngineParts): RunningEngine {
  return parts.config.proxy.engine === 'wire' ? wireEngine(parts) : middlewareEngine(parts);
}

function middlewareEngine({ config, log, plane }: EngineParts): RunningEngine {
  const requestLog = log.child({ subsystem: 'request' });
  let logs = config.proxy.requestLog;
  const options = {
    routes: plane.fleet,
    settings: config.proxy,
    now: sharedNow,
    onRequest: (record: RequestRecord) => {
      if (logs) logRequest(requestLog, record);
    },
  };
  const engine = new MiddlewareEngine(options, SHARES_PORTS.has(process.platform));
  return {
    name: 'middleware',
    threads: 1,
    listen: (host, port, sockets) => engine.listen(host, port, sockets),
    configure: (settings) => engine.configure(settings),
    forget: (id) => engine.forget(id),
    changed() {},
    apply({ proxy }) {
      logs = proxy.requestLog;
      engine.configure(proxy);
    },
    async stop() {},
  };
}

function wireEngine({ config, log, cookieSecret, slots, plane }: EngineParts): RunningEngine {
  const logOf = ({ proxy, log: { level } }: Config): LogSettings => ({
    name: String(log.bindings()['name'] ?? 'load-balancer'),
    level,
    pretty: process.stdout.isTTY,
    requests: proxy.requestLog,
  });
  const threads = threadsOf(config);
  const engine = new ThreadedEngine({
    threads,
    sharesPorts: SHARES_PORTS.has(process.platform),
    slots,
    settings: config.proxy,
    cookieSecret,
    log: logOf(config),
    pools: () => plane.fleet.pools(),
    listener: {
      connectFailed: (id, ordinal, cause) => plane.fleet.connectFailed(id, ordinal, cause),
      drained: () => plane.link.reportSoon(),
      held: () => plane.link.reportSoon(),
    },
    watcher: new ThreadAlerts(plane.alerts, log.child({ subsystem: 'threads' }), Date.now),
  });
  return {
    name: 'wire',
    threads,
    listen: (host, port, sockets) => engine.listen(host, port, sockets),
    configure: (settings) => engine.configure(settings),
    forget: () => engine.forget(),
    changed: () => engine.changed(),
    apply(next) {
      engine.configure(next.proxy);
      engine.setLog(logOf(next));
    },
    stop: () => engine.stop(),
  };
}
