import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import { WebSocket } from 'ws';
import { describeEngines } from '../support/engines.ts';
import {
  closedPort,
  eventually,
  parseMessage,
  RawBackend,
  type RawConnection,
  requestText,
} from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

const FIELDS = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==',
];
const HANDSHAKE = requestText('GET /ws', FIELDS);
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

async function open(site: ProxySite, headers: Readonly<Record<string, string>> = {}) {
  const socket = new WebSocket(`${site.url.replace('http', 'ws')}/ws`, { headers });
  const upgrade = once(socket, 'upgrade');
  const [greeting] = await once(socket, 'message');
  const [response] = await upgrade;
  return { socket, server: String(greeting), response };
}

async function close(socket: WebSocket): Promise<void> {
  socket.close();
  await once(socket, 'close');
}

describeEngines('a WebSocket through the proxy', () => {
  it('echoes what is sent, large and small, and holds its upstream until it ends', async () => {
    await using site = await ProxySite.withBackends(1);
    const { socket, server } = await open(site);
    assert.equal(server, 'one');
    assert.equal(site.inFlight(), 1);
    for (const text of ['hello', 'ä€😀', 'x'.repeat(60_000)]) {
      socket.send(text);
      const [echo] = await once(socket, 'message');
      assert.equal(String(echo), text);
    }
    await close(socket);
    await site.idle();
    const { status, attempts } = await site.record();
    assert.deepEqual([status, attempts.map(({ outcome }) => outcome)], [101, ['completed']]);
  });

  it('carries the same fields as any request, and an id back', async () => {
    await using pair = await ProxySite.withRaw((connection) => {
      connection.socket.once('data', () => connection.write(SWITCH));
    });
    const text = requestText('GET //[?x=%2F', [
      ...FIELDS,
      'X-Forwarded-For: 6.6.6.6',
      'X-Request-Id: abc',
      'Keep-Alive: x',
      '__proto__: p',
    ]);
    const client = await pair.site.client(text);
    const answer = parseMessage(await client.receives('\r\n\r\n'));
    assert.deepEqual([answer.status, answer.all('x-request-id'), answer.all('via')], [101, ['abc'], ['1.1 heimdall']]);
    const seen = parseMessage(pair.backend.connections[0]?.received ?? '');
    assert.equal(seen.startLine, 'GET //[?x=%2F HTTP/1.1');
    assert.deepEqual([seen.all('connection'), seen.all('upgrade')], [['Upgrade'], ['websocket']]);
    assert.deepEqual([seen.all('x-forwarded-for'), seen.all('x-request-id')], [['127.0.0.1'], ['abc']]);
    assert.deepEqual([seen.all('keep-alive'), seen.all('__proto__')], [[], ['p']]);
    client.close();
  });

  it('passes no field on that was meant for the proxy alone', async () => {
    await using pair = await ProxySite.withRaw((connection) => {
      connection.socket.once('data', () =>
        connection.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade, X-Hop\r\nX-Hop: 1\r\n' +
            'Proxy-Authenticate: Basic\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Kept: 1\r\n\r\n',
        ),
      );
    });
    const client = await pair.site.client(HANDSHAKE);
    await client.receives('\r\n\r\n');
    const head = client.received.toLowerCase();
    for (const kept of [
      'upgrade: websocket',
      'connection: upgrade',
      'set-cookie: a=1',
      'set-cookie: b=2',
      'x-kept: 1',
    ]) {
      assert.ok(head.includes(`${kept}\r\n`), kept);
    }
    assert.doesNotMatch(head, /x-hop|proxy-authenticate/);
    client.close();
    await pair.site.idle();
  });

  it('loses no byte that comes right behind the handshake, from either side', async () => {
    await using pair = await ProxySite.withRaw((connection) => {
      connection.socket.once('data', () => connection.write(`${SWITCH}early bird`));
    });
    const client = await pair.site.client(`${HANDSHAKE}too soon`);
    await client.receives('early bird');
    const connection = await pair.backend.connection(0);
    await connection.receives('too soon');
    connection.write('and more');
    await client.receives('and more');
    client.close();
  });

  it('is opened on another upstream when the first refuses the connection', async () => {
    const backend = await RawBackend.start((connection) => {
      connection.socket.once('data', () => connection.write(SWITCH));
    });
    await using site = await ProxySite.open([await closedPort(), backend.port]);
    site.own(backend);
    const client = await site.client(HANDSHAKE);
    await client.receives('101 Switching');
    client.close();
    const { attempts } = await site.record();
    assert.deepEqual(
      attempts.map(({ outcome }) => outcome.split(':')[0]),
      ['connect-failed', 'completed'],
    );
  });

  it('is refused when nobody can be reached, or nobody is configured', async () => {
    await using site = await ProxySite.open([await closedPort(), await closedPort()]);
    assert.equal(parseMessage(await site.exchange(HANDSHAKE)).status, 502);
    for (const upstream of site.upstreams()) site.setHealth(upstream, 'unhealthy');
    const nobody = parseMessage(await site.exchange(HANDSHAKE));
    assert.deepEqual([nobody.status, nobody.all('retry-after'), nobody.all('connection')], [503, ['1'], ['close']]);
    site.use([]);
    assert.equal(parseMessage(await site.exchange(HANDSHAKE)).status, 503);
    site.use([], { routes: [{ host: 'other.example' }] });
    assert.equal(parseMessage(await site.exchange(HANDSHAKE)).status, 404);
    assert.deepEqual(
      site.records.map(({ status }) => status),
      [502, 503, 503, 404],
    );
  });

  it('is refused like any request when its head is broken or too large', async () => {
    await using site = await ProxySite.withBackends(1);
    const statusOf = async (...fields: string[]) =>
      parseMessage(await site.exchange(requestText('GET /ws', [...FIELDS, ...fields]))).status;
    assert.equal(await statusOf('Host: other'), 400);
    assert.equal(await statusOf(`X: ${'x'.repeat(17_000)}`), 431);
    assert.equal(parseMessage(await site.exchange(requestText('GET /ws#x', FIELDS))).status, 400);
  });

  it('that the backend declines is answered with what the backend says', async () => {
    const answers = {
      sized: [
        'HTTP/1.1 426 Upgrade Required\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 4\r\n\r\nnope',
        'nope',
      ],
      chunked: [
        'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnope\r\n0\r\n\r\n',
        '4\r\nnope\r\n0\r\n\r\n',
      ],
      empty: ['HTTP/1.1 204 No Content\r\n\r\n', ''],
    };
    for (const [answer = '', body] of Object.values(answers)) {
      await using pair = await ProxySite.withRaw((connection) => {
        connection.socket.once('data', () => connection.write(answer));
      });
      const got = parseMessage(await pair.site.exchange(HANDSHAKE));
      assert.equal(got.status, Number(answer.slice(9, 12)));
      assert.deepEqual([got.body, got.all('connection')], [body, ['close']]);
      if (answer.includes('Cookie')) assert.deepEqual(got.all('set-cookie'), ['a=1', 'b=2']);
      await pair.site.idle();
      assert.deepEqual(
        (await pair.site.record()).attempts.map(({ outcome }) => outcome),
        ['completed'],
      );
    }
  });

  // A blind tunnel after a declined handshake: what the client sends next would go to the backend unchecked.
  it('that the backend declines leaves no tunnel behind', async () => {
    await using pair = await ProxySite.withRaw((connection) => {
      connection.socket.once('data', () => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    });
    const client = await pair.site.client(`${HANDSHAKE}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.receives('ok');
    client.write('GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually('the client is cut off', () => client.ended || client.closed);
    await pair.site.idle();
    assert.doesNotMatch(pair.backend.connections[0]?.received ?? '', /smuggled/);
    assert.equal(pair.backend.connections.length, 1);
  });

  // The client's leaving goes unnoticed while nobody reads from it: the upstream would count as busy for ever.
  it('that the backend declines and then stalls does not hold its upstream', async () => {
    await using pair = await ProxySite.withRaw(
      (connection) =>
        connection.socket.once('data', () => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok')),
      { timeouts: { streamIdle: 100 } },
    );
    const client = await pair.site.client(HANDSHAKE);
    await client.receives('ok');
    await eventually('the client is cut off', () => client.ended || client.closed);
    await pair.site.idle();
  });

  it('whose backend breaks or stays silent during the handshake gives 502 or 504', async () => {
    await using broken = await ProxySite.withRaw((connection) =>
      connection.socket.once('data', () => connection.reset()),
    );
    assert.equal(parseMessage(await broken.site.exchange(HANDSHAKE)).status, 502);
    await using ended = await ProxySite.withRaw((connection) =>
      connection.socket.once('data', () => connection.socket.end()),
    );
    assert.equal(parseMessage(await ended.site.exchange(HANDSHAKE)).status, 502);
    await using nonsense = await ProxySite.withRaw((connection) =>
      connection.socket.once('data', () => connection.write('nonsense\r\n\r\n')),
    );
    assert.equal(parseMessage(await nonsense.site.exchange(HANDSHAKE)).status, 502);
    await using silent = await ProxySite.withRaw(() => {}, { timeouts: { responseHead: 100 } });
    assert.equal(parseMessage(await silent.site.exchange(HANDSHAKE)).status, 504);
  });

  it('ends for the one side when the other ends, in every way', async () => {
    for (const way of ['close', 'reset'] as const) {
      const switches = (connection: RawConnection) => {
        connection.socket.once('data', () => connection.write(SWITCH));
      };
      await using pair = await ProxySite.withRaw(switches, { timeouts: { bodyIdle: 200 } });
      const first = await pair.site.client(HANDSHAKE);
      await first.receives('\r\n\r\n');
      const upstream = await pair.backend.connection(0);
      first[way]();
      await eventually('the backend hears of it', () => upstream.ended || upstream.closed);
      await pair.site.idle();

      const second = await pair.site.client(HANDSHAKE);
      await second.receives('\r\n\r\n');
      (await pair.backend.connection(1))[way]();
      await eventually('the client hears of it', () => second.ended || second.closed);
      await pair.site.idle(); // though the client keeps its side open
      await eventually('both are logged', () => pair.site.records.length === 2);
    }
  });

  it('whose client vanishes during the handshake leaves nothing behind', async () => {
    await using pair = await ProxySite.withRaw(() => {}, { timeouts: { responseHead: 300 } });
    for (const way of ['close', 'reset'] as const) {
      const client = await pair.site.client(HANDSHAKE);
      client[way]();
    }
    await pair.site.idle();
    await eventually('both are logged', () => pair.site.records.length === 2);
  });

  it('ties its client to an instance where the service is sticky', async () => {
    await using site = await ProxySite.withBackends(3, { service: { algorithm: 'sticky-round-robin' } });
    const first = await open(site);
    const cookie = String(first.response.headers['set-cookie']).split(';', 1)[0] ?? '';
    assert.match(cookie, /^heimdall_web=/);
    for (let i = 0; i < 5; i += 1) {
      const again = await open(site, { Cookie: cookie });
      assert.deepEqual([again.server, again.response.headers['set-cookie']], [first.server, undefined]);
      await close(again.socket);
    }
    await close(first.socket);
  });

  it('is no other protocol, and has no body: such requests are answered as ordinary ones', async () => {
    await using site = await ProxySite.withBackends(1);
    const plain = async (...fields: string[]) =>
      parseMessage(await site.exchange(requestText('GET /headers', ['Connection: upgrade, close', ...fields]))).status;
    assert.equal(await plain('Upgrade: h2c'), 200);
    assert.equal(await plain('Upgrade: websocket, h2c'), 200);
    const body = requestText(
      'GET /echo',
      [...FIELDS.slice(1), 'Connection: upgrade, close', 'Content-Length: 5'],
      'hello',
    );
    assert.equal(parseMessage(await site.exchange(body)).body, 'hello');
    const old = await site.exchange(`GET /version HTTP/1.0\r\nHost: a\r\n${FIELDS.join('\r\n')}\r\n\r\n`);
    assert.equal(parseMessage(old).status, 200);
  });
});
