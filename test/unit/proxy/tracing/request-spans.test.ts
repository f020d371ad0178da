import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requestSpans } from '../../../../internal/proxy/tracing/request-spans.ts';
import type { TracedRequest } from '../../../../internal/proxy/tracing/traced-request.ts';
import { attempt, traced } from '../../../support/traced-request.ts';

function present(attributes: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

/** The request's own span. */
function serverSpan(overrides: Partial<TracedRequest>) {
  const [span] = requestSpans(traced(overrides));
  assert.ok(span);
  return span;
}

describe('the spans of a request', () => {
  it('end with it at the latest, however the sums of their times are rounded', () => {
    const at = 1_795_300_615_980.3977;
    const only = attempt({ afterMs: 0.6918409009842529, totalMs: 1.3346448806766444 });
    const [server, client] = requestSpans(traced({ at, totalMs: 2.0264857816608974, attempts: [only] }));
    assert.ok(server && client);
    assert.equal(client.endedAt, server.endedAt);
  });

  it('are its own and one for its attempt, within it, named as the conventions have it', () => {
    const [server, client, ...others] = requestSpans(traced());
    assert.ok(server && client);
    assert.deepEqual(others, []);
    assert.deepEqual(present(server.attributes), {
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'url.path': '/a/b',
      'server.address': 'example.com',
      'server.port': 8080,
      'client.address': '203.0.113.9',
      'network.protocol.version': '1.1',
      'user_agent.original': 'curl/8',
      'http.response.status_code': 200,
      'heimdall.request_id': 'id-1',
      'heimdall.service': 'web',
      'heimdall.algorithm': 'round-robin',
      'heimdall.instance': 'web-1',
      'heimdall.queue_ms': 0,
      'heimdall.termination': 'completed',
    });
    assert.deepEqual(present(client.attributes), {
      'http.request.method': 'GET',
      'server.address': '10.0.0.1',
      'server.port': 9000,
      'url.full': 'http://10.0.0.1:9000/a/b',
      'network.protocol.version': '1.1',
      'http.response.status_code': 200,
      'heimdall.service': 'web',
      'heimdall.instance': 'web-1',
      'heimdall.outcome': 'completed',
      'heimdall.connect_ms': 0,
      'heimdall.head_ms': 5,
    });
    assert.deepEqual(
      [server.kind, server.parent, server.startedAt, server.endedAt],
      ['server', null, 1_000_000, 1_000_012],
    );
    assert.deepEqual([client.kind, client.startedAt, client.endedAt], ['client', 1_000_001, 1_000_011]);
    assert.deepEqual(client.parent, { spanId: server.spanId, isRemote: false });
    assert.equal(client.spanId, 'bbbbbbbbbbbbbbb1');
    assert.deepEqual([server.failed, client.failed, server.name, client.name], [false, false, 'GET', 'GET']);
  });

  it('have the caller for a parent, and its state', () => {
    const { trace } = traced();
    const { parent, state } = serverSpan({ trace: { ...trace, parentId: 'cccccccccccccccc', state: 'foo=1' } });
    assert.deepEqual([parent, state], [{ spanId: 'cccccccccccccccc', isRemote: true }, 'foo=1']);
  });

  it('show a repetition as a sibling of the attempt that failed', () => {
    const broken = attempt({ outcome: 'reset: closed before an answer', headMs: null, totalMs: 3 });
    const [server, first, second] = requestSpans(
      traced({ attempts: [broken, attempt({ upstream: 'web-2', host: '::1', afterMs: 4 })] }),
    );
    assert.ok(server && first && second);
    assert.deepEqual([server.failed, first.failed, second.failed], [false, true, false]);
    assert.equal(first.attributes['error.type'], 'reset');
    assert.equal(first.attributes['http.response.status_code'], undefined);
    assert.equal(first.attributes['http.request.resend_count'], undefined);
    assert.equal(second.attributes['http.request.resend_count'], 1);
    assert.equal(second.attributes['url.full'], 'http://[::1]:9000/a/b');
    assert.deepEqual([first.spanId, second.spanId], ['bbbbbbbbbbbbbbb1', 'bbbbbbbbbbbbbbb2']);
    assert.deepEqual(first.parent, second.parent);
    assert.equal(server.attributes['heimdall.instance'], 'web-2');
  });

  it('call a 4xx an error of the client side alone, and a 5xx one of both', () => {
    const failures = (status: number) =>
      requestSpans(traced({ status })).map(({ failed, attributes }) => [failed, attributes['error.type']]);
    assert.deepEqual(failures(404), [
      [false, undefined],
      [true, '404'],
    ]);
    assert.deepEqual(failures(503), [
      [true, '503'],
      [true, '503'],
    ]);
  });

  it('tell of half an answer', () => {
    const attempts = [attempt({ outcome: 'truncated: closed before its end' })];
    const [server, client] = requestSpans(traced({ termination: 'upstream-truncated', attempts }));
    assert.deepEqual([server?.failed, server?.attributes['error.type']], [true, 'upstream-truncated']);
    assert.deepEqual([client?.failed, client?.attributes['error.type']], [true, 'truncated']);
    assert.equal(client?.attributes['http.response.status_code'], 200);
  });

  it('say of a client that left that it did, and give it no status', () => {
    const attempts = [attempt({ outcome: 'client-closed', headMs: null })];
    const [server, client] = requestSpans(traced({ status: 499, termination: 'client-left', attempts }));
    assert.deepEqual([server?.failed, client?.failed], [false, false]);
    assert.equal(server?.attributes['http.response.status_code'], undefined);
    assert.equal(server?.attributes['heimdall.termination'], 'client-left');
  });

  it('of a request that got nowhere are its own alone', () => {
    const refused = traced({
      attempts: [],
      service: null,
      status: 429,
      termination: 'rate-limited',
      refusal: 'rate-limited',
    });
    const [span, ...others] = requestSpans(refused);
    assert.deepEqual(others, []);
    assert.equal(span?.attributes['heimdall.refusal'], 'rate-limited');
    assert.equal('heimdall.service' in present(span?.attributes ?? {}), false);
  });

  it('have no names that clients may choose', () => {
    const { name, attributes } = serverSpan({ method: 'BREW' });
    assert.deepEqual(
      [name, attributes['http.request.method'], attributes['http.request.method_original']],
      ['HTTP', '_OTHER', 'BREW'],
    );
  });

  it('know the ports that need not be written', () => {
    const addressOf = (host: string, secure: boolean) => {
      const { attributes } = serverSpan({ host, secure });
      return [attributes['server.address'], attributes['server.port']];
    };
    assert.deepEqual(addressOf('example.com', false), ['example.com', 80]);
    assert.deepEqual(addressOf('example.com', true), ['example.com', 443]);
    assert.deepEqual(addressOf('[::1]:81', false), ['[::1]', 81]);
    assert.deepEqual(addressOf('', false), [undefined, undefined]);
  });
});
