import type { RequestRecord } from '../../internal/proxy/engine.ts';
import { MiddlewareEngine } from '../../internal/proxy/middleware/engine.ts';
import type { TracedRequest } from '../../internal/proxy/tracing/traced-request.ts';
import { sharedNow } from '../../pkg/clock/shared-now.ts';
import { accessLogOf } from './access-log.ts';
import { MainThreadLog } from './main-thread-log.ts';
import { type EngineParts, type RunningEngine, SHARES_PORTS } from './running-engine.ts';

export function middlewareEngine({ config, log, plane, traces }: EngineParts): RunningEngine {
  const lines = new MainThreadLog(plane.ownAlerts, log);
  lines.configure(accessLogOf(config));
  const options = {
    routes: plane.fleet,
    settings: config.proxy,
    now: sharedNow,
    onTraced: (request: TracedRequest) => traces.take([request]),
    onRequest: (record: RequestRecord) => lines.record(record),
  };
  const engine = new MiddlewareEngine(options, SHARES_PORTS);
  return {
    name: 'middleware',
    threads: 1,
    listen: (host, port, sockets) => engine.listen(host, port, sockets),
    configure: (settings) => engine.configure(settings),
    explain: (id) => engine.explain(id),
    readings: () => engine.readings(),
    rescue: (from) => engine.rescue(from),
    forget: (id) => engine.forget(id),
    changed() {},
    apply(next) {
      lines.configure(accessLogOf(next));
      engine.configure(next.proxy);
    },
    get accessLog() {
      return lines.counts;
    },
    stop: () => lines.close(),
  };
}
