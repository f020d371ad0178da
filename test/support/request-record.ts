import type { AttemptRecord, RequestRecord } from '../../internal/proxy/engine.ts';
import { lineFormat } from '../../internal/proxy/access-log/line-format.ts';

/** Sunday, 2026-11-22 05:04:03.021 UTC. */
export const AT = Date.UTC(2026, 10, 22, 5, 4, 3, 21);

/** One that went well on a kept connection. */
export function attemptOf(changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    upstream: 'web-1',
    host: '10.0.0.7',
    port: 9000,
    outcome: 'completed',
    afterMs: 0,
    connectMs: 0,
    headMs: 10,
    totalMs: 15,
    weight: 1,
    ...changes,
  };
}

/** One that got no connection. */
export function failedAttempt(changes: Partial<AttemptRecord> = {}): AttemptRecord {
  const outcome = 'connect-failed: ECONNREFUSED';
  return attemptOf({ outcome, connectMs: null, headMs: null, totalMs: 6, ...changes });
}

/** A request that went well. @param fields - in lower case. */
export function recordOf(
  changes: Partial<RequestRecord> = {},
  fields: Readonly<Record<string, string>> = {},
): RequestRecord {
  return {
    at: AT,
    id: 'id-1',
    client: '10.0.0.1',
    method: 'GET',
    host: 'example.com',
    target: '/a?b',
    protocol: 'HTTP/1.1',
    secure: false,
    fields: { field: (name) => fields[name] },
    service: 'web',
    algorithm: 'least-time',
    status: 200,
    termination: 'completed',
    attempts: [attemptOf()],
    queueMs: 0,
    totalMs: 15,
    receivedBytes: 0,
    sentBytes: 0,
    trace: null,
    ...changes,
  };
}

const json = lineFormat({ format: 'json', headers: [] });

/** The line of the access log, without its end. */
export function lineOf(record: RequestRecord): string {
  return json(record).trimEnd();
}
