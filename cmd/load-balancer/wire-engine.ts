import type { Config } from '../../internal/config/schema.ts';
import type { LogSettings } from '../../internal/proxy/threads/messages.ts';
import { ThreadAlerts } from '../../internal/proxy/threads/thread-alerts.ts';
import { ThreadedEngine } from '../../internal/proxy/threads/threaded-engine.ts';
import { type EngineParts, type RunningEngine, SHARES_PORTS, threadsOf } from './running-engine.ts';

export function wireEngine({ config, log, cookieSecret, slots, plane, traces }: EngineParts): RunningEngine {
  const logOf = ({ proxy, log: { level } }: Config): LogSettings => ({
    name: String(log.bindings()['name'] ?? 'load-balancer'),
    level,
    pretty: process.stdout.isTTY,
    requests: proxy.requestLog,
  });
  const threads = threadsOf(config);
  const engine = new ThreadedEngine({
    threads,
    sharesPorts: SHARES_PORTS,
    slots,
    limits: plane.fleet.limits,
    settings: config.proxy,
    cookieSecret,
    log: logOf(config),
    pools: () => plane.fleet.pools(),
    listener: {
      connectFailed: (id, ordinal, cause) => plane.fleet.connectFailed(id, ordinal, cause),
      drained: () => plane.link.reportSoon(),
      failing: () => plane.ejector.lookSoon(),
      held: () => plane.link.reportSoon(),
      traced: (requests, droppedSpans) => traces.take(requests, droppedSpans),
    },
    watcher: new ThreadAlerts(plane.alerts, log.child({ subsystem: 'threads' }), Date.now),
  });
  return {
    name: 'wire',
    threads,
    listen: (host, port, sockets) => engine.listen(host, port, sockets),
    configure: (settings) => engine.configure(settings),
    explain: (id) => engine.explain(id),
    readings: () => engine.readings(),
    forget: () => engine.forget(),
    changed: () => engine.changed(),
    apply(next) {
      engine.configure(next.proxy);
      engine.setLog(logOf(next));
    },
    stop: () => engine.stop(),
  };
}
