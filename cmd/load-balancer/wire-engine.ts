import { AccessLog } from '../../internal/proxy/access-log/access-log.ts';
import { AccessLogAlerts } from '../../internal/proxy/access-log/access-log-alerts.ts';
import { ThreadAlerts } from '../../internal/proxy/threads/thread-alerts.ts';
import { ThreadedEngine } from '../../internal/proxy/threads/threaded-engine.ts';
import { sharedNow } from '../../pkg/clock/shared-now.ts';
import { accessLogOf } from './access-log.ts';
import { type EngineParts, type RunningEngine, SHARES_PORTS, threadsOf } from './running-engine.ts';

export function wireEngine({ config, log, cookieSecret, slots, plane, traces }: EngineParts): RunningEngine {
  const accessLog = new AccessLog(
    new AccessLogAlerts(plane.ownAlerts, log.child({ subsystem: 'access-log' }), Date.now),
    sharedNow,
  );
  let wanted = accessLogOf(config);
  accessLog.configure(wanted?.output ?? null);
  const threads = threadsOf(config);
  const engine = new ThreadedEngine({
    threads,
    sharesPorts: SHARES_PORTS,
    slots,
    limits: plane.fleet.limits,
    settings: config.proxy,
    cookieSecret,
    lines: wanted?.lines ?? null,
    pools: () => plane.fleet.pools(),
    listener: {
      connectFailed: (id, ordinal, cause) => plane.fleet.connectFailed(id, ordinal, cause),
      drained: () => plane.link.reportSoon(),
      failing: () => plane.ejector.lookSoon(),
      held: () => plane.link.reportSoon(),
      traced: (requests, droppedSpans) => traces.take(requests, droppedSpans),
      lines: (batch, done) => accessLog.take(batch, done),
    },
    watcher: new ThreadAlerts(plane.ownAlerts, log.child({ subsystem: 'threads' }), Date.now),
  });
  return {
    name: 'wire',
    threads,
    listen: (host, port, sockets) => engine.listen(host, port, sockets),
    configure: (settings) => engine.configure(settings),
    explain: (id) => engine.explain(id),
    readings: () => engine.readings(),
    rescue: (from) => engine.rescue(from),
    forget: () => engine.forget(),
    changed: () => engine.changed(),
    apply(next) {
      wanted = accessLogOf(next);
      engine.configure(next.proxy);
      // Lines of before belong where they did. When they have come, yet another change may have come, too.
      void engine.setLines(wanted?.lines ?? null).then(() => accessLog.configure(wanted?.output ?? null));
    },
    get accessLog() {
      return accessLog.counts;
    },
    async stop() {
      await engine.stop();
      await accessLog.close();
    },
  };
}
