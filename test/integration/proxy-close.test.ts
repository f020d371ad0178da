import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { it } from 'node:test';
import { describeEngines } from '../support/engines.ts';
import { eventually, onHeads, parseMessage, RawBackend, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

const LONG_MS = 60_000;
const KEEP = ['Connection: keep-alive'];
const HANDSHAKE = requestText('GET /ws', ['Connection: Upgrade', 'Upgrade: websocket']);
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describeEngines('closing a listener', () => {
  it('lets running requests finish, and tells their clients to come back on another connection', async () => {
    await using pair = await ProxySite.withRaw(() => {});
    const { site, backend } = pair;
    const { port } = site;
    const client = await site.client(requestText('GET /', KEEP));
    const upstream = await backend.connection(0);
    await upstream.receives('\r\n\r\n');
    const other = await site.client(requestText('POST /', [...KEEP, 'Content-Length: 0']));
    const broken = await backend.connection(1);
    await broken.receives('\r\n\r\n');
    const closed = site.close(LONG_MS);
    await assert.rejects(new Promise((_, reject) => connect(port, '127.0.0.1').once('error', reject)), {
      code: 'ECONNREFUSED',
    });
    upstream.write(OK);
    broken.reset();
    const response = parseMessage(await client.rest());
    assert.deepEqual([response.status, response.body, response.all('connection')], [200, 'ok', ['close']]);
    const failed = parseMessage(await other.rest());
    assert.deepEqual([failed.status, failed.all('connection')], [502, ['close']]);
    await closed;
  });

  it('lets responses that have begun run to their end', async () => {
    let finish = () => {};
    await using pair = await ProxySite.withRaw((connection) => {
      connection.socket.once('data', () => {
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegin');
        finish = () => connection.write('+end');
      });
    });
    const client = await pair.site.client(requestText('GET /', KEEP));
    await client.receives('begin');
    const closed = pair.site.close(LONG_MS);
    finish();
    assert.match(await client.rest(), /begin\+end$/);
    await closed;
  });

  it('that retires cuts off no client whose response had begun without a word of it', async () => {
    let finish = () => {};
    await using pair = await ProxySite.withRaw((connection) => {
      onHeads(connection, (head) => {
        if (head.startsWith('GET /next')) {
          connection.write(OK);
          return;
        }
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegin');
        finish = () => connection.write('+end');
      });
    });
    const client = await pair.site.client(requestText('GET /', KEEP));
    await client.receives('begin');
    const retired = pair.site.retire(LONG_MS);
    finish();
    await client.receives('+end');
    client.write(requestText('GET /next', KEEP));
    const rest = await client.rest();
    const next = parseMessage(rest.slice(rest.lastIndexOf('HTTP/1.1')));
    assert.deepEqual([next.status, next.body, next.all('connection')], [200, 'ok', ['close']]);
    await retired;
  });

  it('does not wait for connections that are idle or never said anything', async () => {
    await using site = await ProxySite.withBackends(1);
    const idle = await site.client(requestText('GET /', KEEP));
    await idle.receives('requests');
    const silent = await site.client();
    await eventually('the silent one is accepted', async () => {
      await site.exchange(requestText('GET /'));
      return true;
    });
    await site.close(LONG_MS);
    await eventually('both are closed', () => idle.ended && (silent.ended || silent.closed));
  });

  it('cuts off at the deadline what is left: requests, responses and WebSockets', async () => {
    const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    await using pair = await ProxySite.withRaw((connection) => {
      onHeads(connection, (head) => {
        if (head.startsWith('GET /ws')) connection.write(switching);
        if (head.startsWith('GET /begun')) connection.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegin');
      });
    });
    const { site } = pair;
    const clients = [
      await site.client(requestText('GET /hang')),
      await site.client(requestText('GET /begun')),
      await site.client(HANDSHAKE),
      await site.client('GET /half HTTP/1.1\r\nHost:'),
    ];
    await eventually('all are on their way', () => site.inFlight() === 3);
    await clients[1]?.receives('begin');
    await clients[2]?.receives('101 Switching');
    await site.close(100);
    for (const client of clients) await eventually('the client is cut off', () => client.ended || client.closed);
    await site.idle();
    for (const connection of pair.backend.connections) {
      await eventually('the backend hears of it', () => connection.ended || connection.closed);
    }
  });

  it('leaves a WebSocket alone until the deadline', async () => {
    await using pair = await ProxySite.withRaw((connection) => {
      onHeads(connection, () => {
        connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      });
    });
    const client = await pair.site.client(HANDSHAKE);
    await client.receives('101 Switching');
    const closed = pair.site.close(LONG_MS);
    const upstream = await pair.backend.connection(0);
    client.write('still');
    await upstream.receives('still');
    upstream.write('here');
    await client.receives('here');
    client.close();
    await closed;
  });

  it('closes the idle connections to the upstreams with the last listener', async () => {
    const backend = await RawBackend.answering(OK);
    await using site = await ProxySite.open([backend.port]);
    site.own(backend);
    await site.exchange(requestText('GET /'));
    const [connection] = backend.connections;
    assert.equal(connection?.ended, false);
    await site.close(LONG_MS);
    await eventually('the upstream connection is closed', () => connection?.ended ?? false);
  });
});

describeEngines('a running engine', () => {
  it('says when an address is taken', async () => {
    await using site = await ProxySite.open([]);
    await assert.rejects(site.engine.listen('127.0.0.1', site.port), { code: 'EADDRINUSE' });
  });

  it('takes over new limits, timeouts and trusted proxies without losing a connection', async () => {
    await using site = await ProxySite.withBackends(1);
    const client = await site.client(requestText('GET /a', KEEP));
    await client.receives('"/a"');
    site.engine.configure({
      ...site.settings,
      timeouts: { ...site.settings.timeouts, connect: 5_000, requestHead: 100 },
      limits: { ...site.settings.limits, target: 20 },
      trustedProxies: ['127.0.0.1'],
    });
    client.write(requestText('GET /headers', [...KEEP, 'X-Forwarded-For: 203.0.113.9']));
    await client.receives('203.0.113.9, 127.0.0.1');
    client.write(requestText(`GET /${'x'.repeat(20)}`, KEEP));
    await client.receives('HTTP/1.1 414');
    assert.equal((await site.record(1)).client, '203.0.113.9');
  });

  it('closes the connections of an upstream that is gone, and lets its requests finish', async () => {
    let answer = () => {};
    const backend = await RawBackend.start((connection) => {
      onHeads(connection, (head) => {
        if (head.startsWith('GET /wait')) answer = () => connection.write(OK);
        else connection.write(OK);
      });
    });
    await using site = await ProxySite.open([backend.port]);
    site.own(backend);
    await site.exchange(requestText('GET /'));
    const waiting = await site.client(requestText('GET /wait'));
    await site.exchange(requestText('GET /'));
    await eventually('one waits', () => site.inFlight() === 1);
    site.use([]);
    await eventually('the idle connection is closed', () => backend.connections.some(({ ended }) => ended));
    answer();
    assert.match(await waiting.rest(), /ok$/);
    await eventually('the other is closed too', () => backend.connections.every(({ ended }) => ended));
  });
});
