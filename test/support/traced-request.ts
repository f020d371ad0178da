import type { AttemptRecord } from '../../internal/proxy/engine.ts';
import type { TracedRequest } from '../../internal/proxy/tracing/traced-request.ts';

/** One that was answered by the first upstream that was asked. */
export function traced(overrides: Partial<TracedRequest> = {}): TracedRequest {
  return {
    trace: {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentId: null,
      spanId: 'aaaaaaaaaaaaaaaa',
      sampled: true,
      state: '',
      attemptIds: ['bbbbbbbbbbbbbbb1', 'bbbbbbbbbbbbbbb2'],
    },
    at: 1_000_000,
    id: 'id-1',
    client: '203.0.113.9',
    method: 'GET',
    host: 'example.com:8080',
    target: '/a/b?token=secret',
    protocol: 'HTTP/1.1',
    secure: false,
    userAgent: 'curl/8',
    service: 'web',
    algorithm: 'round-robin',
    status: 200,
    termination: 'completed',
    attempts: [attempt()],
    queueMs: 0,
    totalMs: 12,
    refusal: undefined,
    ...overrides,
  };
}

export function attempt(overrides: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    upstream: 'web-1',
    host: '10.0.0.1',
    port: 9000,
    outcome: 'completed',
    afterMs: 1,
    connectMs: 0,
    headMs: 5,
    totalMs: 10,
    weight: 1,
    ...overrides,
  };
}
