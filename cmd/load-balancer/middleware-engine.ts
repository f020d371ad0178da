import type { RequestRecord } from '../../internal/proxy/engine.ts';
import { MiddlewareEngine } from '../../internal/proxy/middleware/engine.ts';
import { logRequest } from '../../internal/proxy/request-log.ts';
import type { TracedRequest } from '../../internal/proxy/tracing/traced-request.ts';
import { sharedNow } from '../../pkg/clock/shared-now.ts';
import { type EngineParts, type RunningEngine, SHARES_PORTS } from './running-engine.ts';

export function middlewareEngine({ config, log, plane, traces }: EngineParts): RunningEngine {
  const requestLog = log.child({ subsystem: 'request' });
  let logs = config.proxy.requestLog;
  const options = {
    routes: plane.fleet,
    settings: config.proxy,
    now: sharedNow,
    onRequest: (record: RequestRecord) => {
      if (logs) logRequest(requestLog, record);
    },
    onTraced: (request: TracedRequest) => traces.take([request]),
  };
  const engine = new MiddlewareEngine(options, SHARES_PORTS);
  return {
    name: 'middleware',
    threads: 1,
    listen: (host, port, sockets) => engine.listen(host, port, sockets),
    configure: (settings) => engine.configure(settings),
    explain: (id) => engine.explain(id),
    readings: () => engine.readings(),
    forget: (id) => engine.forget(id),
    changed() {},
    apply({ proxy }) {
      logs = proxy.requestLog;
      engine.configure(proxy);
    },
    async stop() {},
  };
}
