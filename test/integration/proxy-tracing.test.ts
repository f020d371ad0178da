import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Traces } from '../../internal/proxy/tracing/traces.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { describeEngines, useEngine } from '../support/engines.ts';
import { CLIENT, FAILED, OtlpReceiver, type ReceivedSpan, SERVER } from '../support/otlp-receiver.ts';
import { eventually, onHeads, parseMessage, RawBackend, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';
import { ThreadedSite } from '../support/threaded-site.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const ALL = { sampleRatio: 1 };
const NONE = { sampleRatio: 0 };

/** Answers every request, and keeps the heads. */
async function answering(heads: string[] = []): Promise<RawBackend> {
  return await RawBackend.start((connection) => {
    onHeads(connection, (head) => {
      heads.push(head);
      connection.write(OK);
    });
  });
}

/** Takes requests and answers none. */
async function breaking(heads: string[]): Promise<RawBackend> {
  return await RawBackend.start((connection) => {
    onHeads(connection, (head) => {
      heads.push(head);
      connection.reset();
    });
  });
}

/** What an upstream was told of traces. */
function contextOf(head: string | undefined): { traceparent: string[]; tracestate: string[] } {
  const message = parseMessage(head ?? '');
  return { traceparent: message.all('traceparent'), tracestate: message.all('tracestate') };
}

/** The spans of requests, as a receiver gets them. */
async function exported(site: Pick<ProxySite, 'traced'>, requests: number, spans: number): Promise<ReceivedSpan[]> {
  await using receiver = await OtlpReceiver.open();
  const log = createLogger({ name: 'test', level: 'silent' });
  const traces = new Traces({ version: '1.2.3', log, now: () => performance.now() });
  const { endpoint } = receiver;
  await traces.configure({ endpoint, headers: {}, timeout: 10_000, serviceName: 'heimdall', attributes: {} });
  await eventually(`${requests} traced requests`, () => site.traced.length >= requests);
  traces.take(site.traced);
  await traces.stop();
  return await receiver.received(spans);
}

describeEngines('traced requests', () => {
  it('have a span within that of the client, and a child for each attempt, which its upstream is told of', async () => {
    const heads: string[] = [];
    const [broken, whole] = await Promise.all([breaking(heads), answering(heads)]);
    await using site = await ProxySite.open([broken.port, whole.port], { tracing: ALL });
    site.own(broken);
    site.own(whole);
    const fields = [`traceparent: 00-${TRACE}-${PARENT}-01`, 'tracestate: foo=1', 'TraceState: bar=2', 'X-Other: 1'];
    assert.equal(await site.statusOf(requestText('GET /a?secret=1', fields)), 200);
    const [server, first, second, ...others] = await exported(site, 1, 3);
    assert.ok(server && first && second);
    assert.deepEqual(others, []);
    for (const span of [server, first, second]) {
      assert.deepEqual([span.traceId, span.traceState], [TRACE, 'foo=1,bar=2']);
      assert.equal(JSON.stringify(Object.values(span.attributes)).includes('secret'), false);
    }
    assert.deepEqual([server.kind, server.parentSpanId, server.status.code], [SERVER, PARENT, 0]);
    assert.deepEqual([first.kind, first.parentSpanId, first.status.code], [CLIENT, server.spanId, FAILED]);
    assert.deepEqual([second.kind, second.parentSpanId, second.status.code], [CLIENT, server.spanId, 0]);
    assert.equal(first.attributes['error.type'], 'reset');
    assert.deepEqual(
      heads.map((head) => contextOf(head)),
      [first, second].map(({ spanId }) => ({
        traceparent: [`00-${TRACE}-${spanId}-01`],
        tracestate: ['foo=1,bar=2'],
      })),
    );
    assert.ok(server.startTimeUnixNano <= first.startTimeUnixNano);
    assert.ok(first.endTimeUnixNano <= second.startTimeUnixNano);
    assert.ok(second.endTimeUnixNano <= server.endTimeUnixNano);
    assert.equal(server.attributes['heimdall.request_id'], (await site.record()).id);
    assert.equal((await site.record()).trace?.traceId, TRACE);
    const { found } = await site.engine.explain((await site.record()).id);
    assert.deepEqual(found?.trace, { id: TRACE, sampled: true });
  });

  it('begin a trace where the client has begun none, or tells nonsense of it', async () => {
    const heads: string[] = [];
    const only = await answering(heads);
    await using site = await ProxySite.open([only.port], { tracing: ALL });
    site.own(only);
    const valid = `traceparent: 00-${TRACE}-${PARENT}-01`;
    const attempts = [
      [],
      [valid, valid],
      ['traceparent: nonsense'],
      [`traceparent: 00-${'0'.repeat(32)}-${PARENT}-01`],
    ];
    for (const fields of attempts) await site.statusOf(requestText('GET /', [...fields, 'tracestate: foo=1']));
    const spans = await exported(site, attempts.length, 2 * attempts.length);
    const servers = spans.filter(({ kind }) => kind === SERVER);
    assert.equal(new Set([TRACE, ...servers.map(({ traceId }) => traceId)]).size, attempts.length + 1);
    for (const { parentSpanId } of servers) assert.equal(parentSpanId, undefined);
    for (const head of heads) {
      const { traceparent, tracestate } = contextOf(head);
      assert.equal(traceparent.length, 1);
      assert.deepEqual(tracestate, []);
    }
  });

  it('tell upstreams of the trace, and make no spans, when it is not sampled', async () => {
    const heads: string[] = [];
    const only = await answering(heads);
    await using site = await ProxySite.open([only.port], { tracing: NONE });
    site.own(only);
    await site.statusOf(requestText('GET /'));
    await site.statusOf(requestText('GET /', [`traceparent: 00-${TRACE}-${PARENT}-00`, 'tracestate: foo=1']));
    await site.record(1);
    assert.match(contextOf(heads[0]).traceparent[0] ?? '', /^00-[\da-f]{32}-[\da-f]{16}-00$/);
    assert.deepEqual(contextOf(heads[1]), { traceparent: [`00-${TRACE}-${PARENT}-00`], tracestate: ['foo=1'] });
    assert.deepEqual(site.traced, []);
  });

  it('of which nothing comes further than here have a span, too', async () => {
    await using site = await ProxySite.open([], { tracing: ALL, service: { routes: [{ host: '*', path: '/x' }] } });
    assert.equal(await site.statusOf(requestText('GET /elsewhere')), 404);
    assert.equal(await site.statusOf(requestText('GET /x')), 503);
    const [missing, nobody] = await exported(site, 2, 2);
    assert.deepEqual([missing?.attributes['heimdall.termination'], missing?.status.code], ['no-route', 0]);
    assert.deepEqual([nobody?.attributes['heimdall.termination'], nobody?.status.code], ['no-upstream', FAILED]);
  });

  it('may become WebSockets', async () => {
    await using site = await ProxySite.withBackends(1, { tracing: ALL });
    const key = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ];
    const client = await site.client(requestText('GET /ws', key));
    await eventually('the switch', () => client.received.includes('101'));
    assert.equal(site.traced.length, 0); // it has not ended
    client.close();
    await eventually('its end', () => site.traced.length > 0);
    assert.deepEqual([site.traced[0]?.termination, site.traced[0]?.trace.attemptIds.length], ['switched', 1]);
  });

  it('that are not traced say what the client says, as any other field', async () => {
    const heads: string[] = [];
    const only = await answering(heads);
    await using site = await ProxySite.open([only.port]);
    site.own(only);
    await site.statusOf(requestText('GET /'));
    await site.statusOf(requestText('GET /', ['Traceparent: any', 'traceparent: thing', 'tracestate: é']));
    assert.deepEqual(contextOf(heads[0]), { traceparent: [], tracestate: [] });
    assert.deepEqual(contextOf(heads[1]), { traceparent: ['any', 'thing'], tracestate: ['é'] });
    assert.deepEqual([(await site.record(1)).trace, site.traced], [null, []]);
  });
});

describe('settings of tracing', () => {
  it('take effect with the next request', async () => {
    useEngine('wire');
    const heads: string[] = [];
    const only = await answering(heads);
    await using site = await ProxySite.open([only.port]);
    site.own(only);
    for (const tracing of [ALL, NONE, null]) {
      site.engine.configure({ ...site.settings, tracing });
      await site.statusOf(requestText('GET /'));
    }
    const flags = heads.map((head) => contextOf(head).traceparent[0]?.slice(-2));
    assert.deepEqual(flags, ['01', '00', undefined]);
  });
});

describe('threads', () => {
  it('hand what they have traced to the main thread, the rest of it when they end', async (test) => {
    const only = await answering();
    test.after(() => only.stop());
    await using site = await ThreadedSite.open(2, [only.port], {}, undefined, { tracing: ALL });
    const requests = 20;
    await Promise.all(
      Array.from({ length: requests }, () => fetch(`http://127.0.0.1:${site.port}/`).then((r) => r.text())),
    );
    await site.close(10_000);
    await site.engine.stop();
    const spans = await exported(site, requests, 2 * requests);
    assert.equal(spans.length, 2 * requests);
    assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, 2 * requests);
  });
});
