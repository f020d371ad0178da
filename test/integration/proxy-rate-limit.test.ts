import assert from 'node:assert/strict';
import { it } from 'node:test';
import { describeEngines } from '../support/engines.ts';
import { eventually, onHeads, parseMessage, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRateLimit: "own";r=9\r\n\r\nok';
const KEEP = ['Connection: keep-alive'];
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const HANDSHAKE = requestText('GET /api/ws', [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
]);

/** Nothing comes back while a test lasts. */
function routes(requests: number, more: Readonly<Record<string, unknown>> = {}) {
  return [{ path: '/' }, { path: '/api', rateLimit: { requests, per: '1h', ...more } }];
}

describeEngines('a route with a rate limit', () => {
  /** With a backend that answers everything, and lists the targets it was asked for. */
  async function limited(requests: number, more: Readonly<Record<string, unknown>> = {}, trusted: string[] = []) {
    const seen: string[] = [];
    const pair = await ProxySite.withRaw(
      (connection) => {
        onHeads(connection, (head) => {
          seen.push(head.split(' ')[1] ?? '');
          connection.write(OK);
        });
      },
      { service: { routes: routes(requests, more) }, trustedProxies: trusted },
    );
    const ask = async (line: string, fields: readonly string[] = []) =>
      parseMessage(await pair.site.exchange(requestText(line, fields)));
    return { ...pair, ask, seen };
  }

  it('answers what is too much itself, and tells the client how it stands either way', async () => {
    await using made = await limited(2);
    const answers = [];
    for (let n = 0; n < 3; n += 1) answers.push(await made.ask('GET /api'));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 429],
    );
    assert.deepEqual(
      answers.map((answer) => answer.all('ratelimit')),
      [['"own";r=9', '"/api";r=1;t=1800'], ['"own";r=9', '"/api";r=0;t=1800'], ['"/api";r=0;t=1800']],
    );
    for (const answer of answers) assert.deepEqual(answer.all('ratelimit-policy'), ['"/api";q=2;w=3600']);
    assert.deepEqual(
      answers.map((answer) => answer.all('retry-after')),
      [[], [], ['1800']],
    );
    assert.match(answers[2]?.body ?? '', /^429 Too Many Requests\n/);
    assert.deepEqual(made.seen, ['/api', '/api']);
    const { status, refusal, service, attempts, algorithm } = await made.site.record(2);
    assert.deepEqual(
      { status, refusal, service, attempts, algorithm },
      { status: 429, refusal: 'rate-limited', service: 'web', attempts: [], algorithm: undefined },
    );
    const json = await made.ask('GET /api', ['Accept: application/json', 'X-Request-Id: mine']);
    assert.deepEqual([JSON.parse(json.body).status, json.all('x-request-id')], [429, ['mine']]);
    assert.equal((await made.ask('HEAD /api')).body, '');
  });

  it('leaves other routes of its service alone', async () => {
    await using made = await limited(1);
    assert.deepEqual([(await made.ask('GET /api')).status, (await made.ask('GET /api/x')).status], [200, 429]);
    const other = await made.ask('GET /other');
    assert.deepEqual([other.status, other.all('ratelimit-policy'), other.all('ratelimit')], [200, [], ['"own";r=9']]);
  });

  it('keeps the connection of who has asked too often, unless a body is on its way', async () => {
    await using made = await limited(1);
    const client = await made.site.client(requestText('GET /api', KEEP).repeat(3) + requestText('GET /other', KEEP));
    await eventually('all are answered', () => (client.received.match(/HTTP\/1\.1 /g) ?? []).length === 4);
    assert.deepEqual(
      client.received.match(/HTTP\/1\.1 \d+/g),
      [200, 429, 429, 200].map((status) => `HTTP/1.1 ${status}`),
    );
    assert.equal(client.ended, false);
    client.close();
    const upload = await made.site.client(requestText('POST /api', [...KEEP, 'Content-Length: 10']));
    const refused = parseMessage(await upload.receives('\r\n\r\n'));
    assert.deepEqual([refused.status, refused.all('connection')], [429, ['close']]);
    upload.write('0123456789');
    await upload.rest();
    assert.deepEqual(made.seen, ['/api', '/other']);
  });

  it('counts a WebSocket as one request', async () => {
    await using pair = await ProxySite.withRaw((connection) => onHeads(connection, () => connection.write(SWITCH)), {
      service: { routes: routes(1) },
    });
    const first = await pair.site.client(HANDSHAKE);
    const switched = parseMessage(await first.receives('\r\n\r\n'));
    assert.deepEqual([switched.status, switched.all('ratelimit')], [101, ['"/api";r=0;t=3600']]);
    const second = parseMessage(await pair.site.exchange(HANDSHAKE));
    assert.deepEqual([second.status, second.all('retry-after')], [429, ['3600']]);
    first.close();
  });

  it('takes whom a trusted proxy speaks for as the client, and nobody else’s word', async () => {
    const forwarded = (address: string) => [`X-Forwarded-For: ${address}`];
    {
      await using made = await limited(1, {}, ['127.0.0.1']);
      const statuses = [];
      for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.1', '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1']) {
        statuses.push((await made.ask('GET /api', forwarded(address))).status);
      }
      assert.deepEqual(statuses, [200, 200, 429, 200, 429, 200]);
    }
    await using made = await limited(1);
    assert.equal((await made.ask('GET /api', forwarded('10.0.0.1'))).status, 200);
    assert.equal((await made.ask('GET /api', forwarded('10.0.0.2'))).status, 429);
  });

  it('tells clients by a header, when it says so', async () => {
    await using made = await limited(1, { key: 'header:X-Api-Key' });
    const statuses = [];
    for (const key of ['a', 'b', 'a']) statuses.push((await made.ask('GET /api', [`x-api-key: ${key}`])).status);
    statuses.push((await made.ask('GET /api')).status, (await made.ask('GET /api')).status);
    assert.deepEqual(statuses, [200, 200, 429, 200, 429]);
  });

  it('is as configured last, and counts on where it has not changed', async () => {
    await using made = await limited(2);
    const { site, backend, ask } = made;
    await ask('GET /api');
    site.use([backend.port], { routes: routes(2), algorithm: 'least-time' });
    assert.deepEqual((await ask('GET /api')).all('ratelimit')[1], '"/api";r=0;t=1800');
    site.use([backend.port], { routes: routes(5) });
    assert.deepEqual((await ask('GET /api')).all('ratelimit')[1], '"/api";r=4;t=720');
    site.use([backend.port], { routes: [{ path: '/' }] });
    assert.deepEqual((await ask('GET /api')).all('ratelimit'), ['"own";r=9']);
  });

  it('holds nothing and wakes nobody for what is too much', async () => {
    await using site = await ProxySite.open([], {
      service: { command: ['true'], scaleFromZero: true, routes: routes(1) },
    });
    const first = await site.client(requestText('GET /api'));
    await eventually('it is held', () => site.fleet.demand()[0]?.waiting === 1);
    assert.equal(await site.statusOf(requestText('GET /api')), 429);
    const [demand] = site.fleet.demand();
    assert.deepEqual([demand?.waiting, demand?.requests], [1, 1]);
    first.close();
    await eventually('it has left', () => site.fleet.demand()[0]?.waiting === 0);
  });
});
