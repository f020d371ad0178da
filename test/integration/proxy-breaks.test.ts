import assert from 'node:assert/strict';
import { it } from 'node:test';
import { describeEngines } from '../support/engines.ts';
import { closedPort, eventually, parseMessage, type RawConnection, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

describeEngines('a response that breaks off', () => {
  const HEADS: Readonly<Record<string, string>> = {
    'of known length': 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbeginning',
    'in chunks': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nbeginning\r\n',
    'in the middle of a chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n99\r\nbeginning',
  };
  for (const [name, head] of Object.entries(HEADS)) {
    for (const end of ['reset', 'end'] as const) {
      it(`${name}, by ${end}, never ends cleanly at the client`, async () => {
        await using pair = await ProxySite.withRaw((connection) => {
          connection.socket.once('data', () => connection.write(head));
        });
        for (const version of ['1.1', '1.0']) {
          const client = await pair.site.client(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`);
          await client.receives('beginning');
          const upstream = pair.backend.connections.at(-1);
          if (end === 'reset') upstream?.reset();
          else upstream?.socket.end();
          await eventually('the client is cut off', () => client.ended || client.closed);
          assert.doesNotMatch(client.received, /\r\n0\r\n/);
          const hasLength = /content-length/i.test(client.received);
          if (version === '1.0' && !hasLength) assert.equal(client.error?.message, 'read ECONNRESET');
        }
        assert.deepEqual(await pair.site.outcomes(), ['truncated']);
      });
    }
  }

  it('never ends cleanly, as the sample backend shows', async () => {
    await using site = await ProxySite.withBackends(1);
    const answer = parseMessage(await site.exchange(requestText('GET /truncate')));
    assert.deepEqual([answer.all('content-length'), answer.body.length < 1_000], [['1000'], true]);
  });
});

describeEngines('a client that leaves', (engine) => {
  const leave = { 'by an orderly end': (c: RawConnection) => c.close(), 'by a reset': (c: RawConnection) => c.reset() };
  for (const [how, go] of Object.entries(leave)) {
    it(`${how}: the backend hears of it, whatever the request is waiting for`, async () => {
      const requests = {
        'the answer': requestText('GET /'),
        'the body': requestText('POST /', ['Content-Length: 10'], 'hello'),
        'a chunk': requestText('POST /', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n'),
      };
      for (const [what, text] of Object.entries(requests)) {
        await using pair = await ProxySite.withRaw(() => {});
        const client = await pair.site.client(text);
        const connection = await pair.backend.connection(0);
        await connection.receives(text.startsWith('GET') ? '\r\n\r\n' : 'hello');
        go(client);
        await eventually(`the backend hears of it (${what})`, () => connection.ended || connection.closed);
        assert.doesNotMatch(connection.received, /\r\n0\r\n/, 'a broken body ended cleanly');
        const record = await pair.site.record();
        assert.deepEqual([record.status, await pair.site.outcomes()], [499, ['client-closed']]);
      }
    });

    it(`${how} in the middle of a response: the backend hears of it`, async () => {
      await using pair = await ProxySite.withRaw((connection) => {
        connection.socket.once('data', () =>
          connection.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nbeginning'),
        );
      });
      const client = await pair.site.client(requestText('GET /'));
      await client.receives('beginning');
      go(client);
      const connection = await pair.backend.connection(0);
      await eventually('the backend hears of it', () => connection.ended || connection.closed);
      assert.deepEqual(await pair.site.outcomes(), ['client-closed']);
    });
  }

  it('takes its pipelined requests along, also those that have no connection to answer on yet', async () => {
    await using pair = await ProxySite.withRaw(() => {});
    const keep = ['Connection: keep-alive'];
    const client = await pair.site.client(requestText('GET /a', keep).repeat(3));
    const running = engine === 'wire' ? 1 : 3; // Node reads ahead
    await eventually('all are on their way', () => pair.site.inFlight() === running);
    client.close();
    await pair.site.idle();
    await eventually('all are logged', () => pair.site.records.length === running);
    assert.deepEqual(
      pair.site.records.map(({ status }) => status),
      Array.from({ length: running }, () => 499),
    );
    for (const connection of pair.backend.connections) {
      await eventually('the backend hears of it', () => connection.ended || connection.closed);
    }
  });

  it('while its upstream is being connected to leaves nothing behind', async () => {
    await using site = await ProxySite.open([await closedPort(), await closedPort(), await closedPort()]);
    for (let i = 0; i < 20; i += 1) (await site.client(requestText('GET /'))).reset();
    await site.idle();
  });
});

describeEngines('when nobody is left', () => {
  it('everybody is tried, and then it is 503 with Retry-After', async () => {
    await using site = await ProxySite.open([await closedPort(), await closedPort()]);
    for (const upstream of site.upstreams()) site.setHealth(upstream, 'unhealthy');
    const answer = parseMessage(await site.exchange(requestText('GET /')));
    assert.deepEqual([answer.status, answer.all('retry-after')], [503, ['1']]);
    assert.deepEqual(await site.outcomes(), ['connect-failed', 'connect-failed']);
  });

  it('an instance that answers although it was thought dead serves', async () => {
    await using site = await ProxySite.withBackends(1);
    for (const upstream of site.upstreams()) site.setHealth(upstream, 'unhealthy');
    assert.equal(await site.statusOf(requestText('GET /')), 200);
  });

  it('a service without instances says so', async () => {
    await using site = await ProxySite.open([]);
    const answer = parseMessage(await site.exchange(requestText('POST /', ['Content-Length: 5'], 'hello')));
    assert.deepEqual([answer.status, answer.all('retry-after')], [503, ['1']]);
    assert.doesNotMatch(answer.body, /upstream|127\.|instance/);
  });
});
