import type { Logger } from '../../pkg/logger/logger.ts';
import type { RequestRecord } from './engine.ts';

/** One line per request: who asked for what, which upstreams were tried, how it ended and how long it took. */
export function logRequest(log: Logger, record: RequestRecord): void {
  const { attempts, queueMs, totalMs, defect, trace, at: _at, fields: _fields, secure: _secure, ...rest } = record;
  const last = attempts.at(-1);
  log[defect === undefined ? 'info' : 'error'](
    {
      ...rest,
      upstream: last?.upstream ?? null,
      attempts: attempts.map(({ upstream, outcome, headMs, weight }) => ({
        upstream,
        outcome,
        headMs: rounded(headMs),
        ...(weight === 1 ? {} : { weight }),
      })),
      queueMs: rounded(queueMs),
      totalMs: rounded(totalMs),
      ...(trace === null ? {} : { traceId: trace.traceId }),
      ...(defect === undefined ? {} : { err: defect }),
    },
    `${record.status} ${record.method} ${record.target} ${last?.upstream ?? '-'} ${Math.round(totalMs)} ms`,
  );
}

function rounded(milliseconds: number | null): number | null {
  return milliseconds === null ? null : Math.round(milliseconds * 10) / 10;
}
