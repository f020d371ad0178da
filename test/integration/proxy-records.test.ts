import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RequestRecord } from '../../internal/proxy/engine.ts';
import { describeEngines } from '../support/engines.ts';
import { held, LONG, pause, resume } from '../support/holding.ts';
import { closedPort, eventually, onHeads, parseMessage, RawBackend, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Each part lies within the whole. */
function assertTimes({ at, queueMs, totalMs, attempts }: RequestRecord, sentAt: number): void {
  assert.ok(at >= sentAt - 1 && at + totalMs <= Date.now() + 1, 'it came and ended while we looked');
  let after = queueMs;
  for (const { afterMs, connectMs, headMs, totalMs: ownMs } of attempts) {
    assert.ok(afterMs >= after, `an attempt begins after the one before, and after the wait: ${afterMs}, ${after}`);
    assert.ok((connectMs ?? 0) <= (headMs ?? ownMs) && (headMs ?? 0) <= ownMs);
    after = afterMs + ownMs;
  }
  assert.ok(after <= totalMs, `the attempts end before the request does: ${after}, ${totalMs}`);
}

describeEngines('the record of a request', () => {
  it('tells when each attempt began, had its connection, its head, and its end', async () => {
    const backend = await RawBackend.start((connection) => onHeads(connection, () => connection.write(OK)));
    await using site = await ProxySite.open([await closedPort(), backend.port]);
    site.own(backend);
    const sentAt = Date.now();
    const text = requestText('POST /a', ['Content-Length: 5', 'Referer: there'], 'hello');
    for (let n = 0; n < 3; n += 1) assert.equal(parseMessage(await site.exchange(text)).status, 200);
    const records = await Promise.all([0, 1, 2].map((index) => site.record(index)));
    for (const record of records) {
      assertTimes(record, sentAt);
      assert.deepEqual([record.termination, record.queueMs], ['completed', 0]);
      assert.deepEqual([record.protocol, record.receivedBytes, record.sentBytes], ['HTTP/1.1', 5, 2]);
      assert.equal(record.fields?.field('referer'), 'there');
      assert.ok(record.attempts.at(-1)?.headMs !== null);
    }
    const failed = records.flatMap(({ attempts }) => attempts.slice(0, -1));
    assert.ok(failed.length > 0, 'one of them went to the closed port first');
    for (const { connectMs, headMs, outcome } of failed) {
      assert.deepEqual([connectMs, headMs, outcome], [null, null, 'connect-failed: ECONNREFUSED']);
    }
    const connects = records.map(({ attempts }) => attempts.at(-1)?.connectMs ?? null);
    assert.ok(connects[0] !== null && connects[0]! > 0, 'the first opened a connection');
    assert.equal(connects[2], 0, 'the last used one that was kept');
  });

  it('tells how long the request waited', async () => {
    const backend = await RawBackend.answering(OK);
    await using site = await ProxySite.open([backend.port], { service: { hold: LONG } });
    site.own(backend);
    pause(site.fleet);
    const client = await site.client(requestText('GET /'));
    await eventually('it is held', () => held(site) === 1);
    const heldAt = Date.now();
    await eventually('some time passes', () => Date.now() - heldAt >= 20);
    resume(site.fleet);
    await client.rest();
    const record = await site.record();
    assert.ok(record.queueMs >= 19, String(record.queueMs));
    assertTimes(record, heldAt - 60_000);
  });

  it('counts the octets of long bodies, whatever their framing', async () => {
    const size = 300_000;
    const chunk = (octets: number) => `${octets.toString(16)}\r\n${'x'.repeat(octets)}\r\n`;
    const body = `${chunk(size - 1)}${chunk(1)}0\r\n\r\n`;
    const backend = await RawBackend.start((connection) => {
      void connection.receives(/0\r\n\r\n$/).then(() => {
        connection.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
      });
    });
    await using site = await ProxySite.open([backend.port]);
    site.own(backend);
    await site.exchange(requestText('POST /', ['Transfer-Encoding: chunked'], body));
    const { receivedBytes, sentBytes } = await site.record();
    assert.deepEqual([receivedBytes, sentBytes], [size, size]);
  });

  it('counts what went through a tunnel, and tells that it was one', async () => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const backend = await RawBackend.start((connection) => {
      onHeads(connection, () => connection.write(head));
      void connection.receives('ping').then(() => connection.write('pong, pong'));
    });
    await using site = await ProxySite.open([backend.port]);
    site.own(backend);
    const client = await site.client(requestText('GET /', ['Connection: Upgrade', 'Upgrade: websocket']));
    await client.receives('\r\n\r\n');
    client.write('ping');
    await client.receives('pong, pong');
    client.close();
    const { termination, receivedBytes, sentBytes, status } = await site.record();
    assert.deepEqual([termination, receivedBytes, sentBytes, status], ['switched', 4, 10, 101]);
  });

  it('tells why a request ended that got no answer of an upstream', async () => {
    const routes = [{ path: '/web' }, { path: '/once', rateLimit: { requests: 1, per: '1h', burst: 1 } }];
    await using site = await ProxySite.open([await closedPort()], { service: { routes } });
    const ends = [
      ['GET /web', 'upstream-connect'],
      ['GET /nowhere', 'no-route'],
      ['OPTIONS *', 'answered'],
      ['GET /once', 'upstream-connect'],
      ['GET /once', 'rate-limited'],
      ['GET no-path', 'refused'],
      ['CONNECT a:1', 'refused'],
    ] as const;
    for (const [line, termination] of ends) {
      const answer = parseMessage(await site.exchange(requestText(line)));
      const record = await site.record(ends.findIndex((end) => end[0] === line && end[1] === termination));
      assert.deepEqual([record.status, record.termination], [answer.status, termination], line);
      assert.equal(record.sentBytes, answer.body.length, line);
    }
  });

  it('tells that the client left in the middle of its answer, and what it had of it', async () => {
    const backend = await RawBackend.start((connection) => {
      onHeads(connection, () => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
    });
    await using site = await ProxySite.open([backend.port]);
    site.own(backend);
    const client = await site.client(requestText('GET /'));
    await client.receives('half');
    client.close();
    const { status, termination, sentBytes } = await site.record();
    assert.deepEqual([status, termination, sentBytes], [200, 'client-left', 4]);
  });
});
