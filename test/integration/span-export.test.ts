import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Span } from '../../pkg/tracing/span.ts';
import { SpanExport } from '../../pkg/tracing/span-export.ts';
import { CLIENT, FAILED, OtlpReceiver, SERVER } from '../support/otlp-receiver.ts';
import { eventually } from '../support/proxy-raw.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const LIMIT = 8_192;

function span(overrides: Partial<Span> = {}): Span {
  return {
    traceId: TRACE,
    spanId: 'b7ad6b7169203331',
    parent: null,
    state: '',
    name: 'GET',
    kind: 'server',
    startedAt: 1_795_292_185_215.7,
    endedAt: 1_795_292_185_225.2,
    attributes: { 'http.request.method': 'GET' },
    failed: false,
    ...overrides,
  };
}

interface Exporting {
  readonly target: SpanExport;
  readonly counts: { exported: number; failed: number; dropped: number };
  readonly failures: string[];
}

function exportTo(endpoint: string, timeout = 10_000): Exporting {
  const counts = { exported: 0, failed: 0, dropped: 0 };
  const failures: string[] = [];
  const settings = {
    endpoint,
    headers: { 'X-Key': 'k' },
    timeout,
    serviceName: 'shop',
    attributes: { 'host.name': 'h1' },
  };
  const listener = { failed: (_: number, cause: string) => void failures.push(cause), succeeded() {} };
  return { target: new SpanExport(settings, '1.2.3', listener, counts), counts, failures };
}

describe('the export of spans', () => {
  it('sends them with their parents, times and attributes, and what it says of itself', async () => {
    await using receiver = await OtlpReceiver.open();
    const { target, counts } = exportTo(receiver.endpoint);
    const parent = { spanId: 'aaaaaaaaaaaaaaaa', isRemote: true };
    target.add(span({ parent, state: 'foo=1', attributes: { a: 'b', n: 2, absent: undefined } }));
    target.add(span({ kind: 'client', failed: true }));
    await target.stop(60_000);
    const [server, client] = await receiver.received(2);
    assert.ok(server && client);
    assert.deepEqual([server.traceId, server.parentSpanId, server.traceState], [TRACE, parent.spanId, 'foo=1']);
    assert.deepEqual([server.attributes, server.kind, server.status.code], [{ a: 'b', n: 2 }, SERVER, 0]);
    assert.deepEqual([client.kind, client.status.code, client.parentSpanId], [CLIENT, FAILED, undefined]);
    const tookNs = server.endTimeUnixNano - server.startTimeUnixNano;
    assert.ok(tookNs > 9_499_000n && tookNs < 9_501_000n, `${tookNs}`);
    assert.equal(server.resource['service.name'], 'shop');
    assert.equal(server.resource['service.version'], '1.2.3');
    assert.equal(server.resource['host.name'], 'h1');
    assert.equal(receiver.headers[0]?.['x-key'], 'k');
    assert.deepEqual(counts, { exported: 2, failed: 0, dropped: 0 });
  });

  it('counts what a receiver refuses, and goes on with the next', async () => {
    await using receiver = await OtlpReceiver.open();
    receiver.status = 401;
    const { target, counts, failures } = exportTo(receiver.endpoint);
    target.add(span());
    await eventually('a refusal', () => counts.failed === 1);
    assert.deepEqual(failures, ['it answered 401']);
    receiver.status = 200;
    target.add(span());
    await target.stop(60_000);
    assert.deepEqual(counts, { exported: 1, failed: 1, dropped: 0 });
  });

  it('keeps no more than it may while a receiver hangs, and does not wait for it at its end', async () => {
    await using receiver = await OtlpReceiver.open();
    receiver.status = null;
    const { target, counts } = exportTo(receiver.endpoint, 5_000);
    for (let n = 0; n < LIMIT + 100; n += 1) target.add(span());
    assert.deepEqual(counts, { exported: 0, failed: 0, dropped: 100 });
    await eventually('the first batch', () => receiver.headers.length > 0);
    for (let n = 0; n < 10; n += 1) target.add(span()); // what is on its way still counts
    assert.equal(counts.dropped, 110);
    await target.stop(1);
  });

  it('loses nothing but the spans when nobody listens', async () => {
    const receiver = await OtlpReceiver.open();
    const { endpoint } = receiver;
    await receiver[Symbol.asyncDispose]();
    const { target, counts, failures } = exportTo(endpoint, 500); // too short for another try
    target.add(span());
    await target.stop(60_000);
    assert.deepEqual(counts, { exported: 0, failed: 1, dropped: 0 });
    assert.deepEqual(failures, ['ECONNREFUSED']);
  });
});
