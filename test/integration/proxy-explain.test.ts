import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type ExplainedRequest, ExplainedRequestSchema } from '../../internal/model/explained-request.ts';
import { withCauses } from '../../internal/proxy/explain/causes.ts';
import { describeEngines } from '../support/engines.ts';
import { held, LONG, pause, resume } from '../support/holding.ts';
import { closedPort, eventually, onHeads, parseMessage, RawBackend, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Request-Id: of-the-backend\r\n\r\nok';

/** What is known of the request that got this answer, once it is over, as the admin interface would tell it. */
async function explained(site: ProxySite, answer: string): Promise<ExplainedRequest> {
  const [id = 'none', ...others] = ids(answer);
  assert.deepEqual(others, []);
  let found: ExplainedRequest | null = null;
  await eventually(`${id} is known, and over`, async () => {
    ({ found } = await site.engine.explain(id));
    return found !== null && found.status !== null;
  });
  return ExplainedRequestSchema.parse(withCauses(ExplainedRequestSchema.parse(found), site.fleet.pool('web')));
}

const withId = (id: string) => requestText('GET /', [`X-Request-Id: ${id}`]);
const ids = (text: string) => parseMessage(text).all('x-request-id');

describeEngines('the id of a request', () => {
  it('is in every answer once, ours and not the upstream’s', async () => {
    const backend = await RawBackend.answering(OK);
    await using site = await ProxySite.open([backend.port], { limits: { body: 10 } });
    site.own(backend);
    assert.match(ids(await site.exchange(requestText('GET /')))[0] ?? '', /^[\w-]{13,}$/);
    assert.deepEqual(ids(await site.exchange(withId('abc'))), ['abc']);
    for (const [status, text] of [
      [200, requestText('HEAD /', ['X-Request-Id: abc'])],
      [204, requestText('OPTIONS *', ['X-Request-Id: abc'])],
      [413, requestText('POST /', ['X-Request-Id: abc', 'Content-Length: 11'], 'too long...')],
      [400, requestText('GET /', ['X-Request-Id: abc', 'Host: another.example'])],
    ] as const) {
      const answer = parseMessage(await site.exchange(text));
      assert.deepEqual([answer.status, answer.all('x-request-id')], [status, ['abc']], text);
    }
  });

  it('is made for what is no request at all', async () => {
    await using site = await ProxySite.open([]);
    for (const text of ['no HTTP\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nx : y\r\n\r\n', requestText('CONNECT a:1')]) {
      const answer = await site.exchange(text);
      assert.equal(ids(answer).length, 1, answer);
      const { service, status, refusal } = await explained(site, answer);
      assert.deepEqual([service, status], [null, parseMessage(answer).status]);
      assert.notEqual(refusal, null);
    }
  });

  it('is in the answer to who asks too often, and tells that', async () => {
    const backend = await RawBackend.answering(OK);
    const routes = [{ path: '/', rateLimit: { requests: 1, per: '1h', burst: 1 } }];
    await using site = await ProxySite.open([backend.port], { service: { routes } });
    site.own(backend);
    await site.exchange(requestText('GET /'));
    const answer = await site.exchange(withId('too-often'));
    assert.deepEqual([parseMessage(answer).status, ids(answer)], [429, ['too-often']]);
    const { service, status, refusal, attempts } = await explained(site, answer);
    assert.deepEqual([service, status, refusal, attempts], ['web', 429, 'rate-limited', []]);
  });

  it('is in a refused and in an accepted upgrade', async () => {
    const switching =
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Request-Id: b\r\n\r\n';
    const backend = await RawBackend.start((connection) => onHeads(connection, () => connection.write(switching)));
    await using site = await ProxySite.open([backend.port], { service: { routes: [{ path: '/ws' }] } });
    site.own(backend);
    const fields = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'X-Request-Id: abc'];
    const client = await site.client(requestText('GET /ws', fields));
    const accepted = await client.receives('\r\n\r\n');
    assert.deepEqual([parseMessage(accepted).status, ids(accepted)], [101, ['abc']]);
    const { found } = await site.engine.explain('abc');
    assert.deepEqual([found?.status, found?.attempts[0]?.outcome], [null, 'running']);
    client.close();
    assert.equal((await explained(site, accepted)).status, 101);
    const refused = await site.exchange(requestText('GET /', fields));
    assert.deepEqual([parseMessage(refused).status, ids(refused)], [404, ['abc']]);
  });
});

describeEngines('an explained request', () => {
  it('tells who could be picked, by which score, and the times of its attempt', async () => {
    await using site = await ProxySite.withBackends(3, { service: { algorithm: 'least-connections' } });
    const answer = await site.exchange(requestText('GET /x?y'));
    const { picks, attempts, ...request } = await explained(site, answer);
    const { method, target, service, algorithm, status, sampled, waits } = request;
    assert.deepEqual([method, target, service, algorithm], ['GET', '/x?y', 'web', 'least-connections']);
    assert.deepEqual([status, sampled, waits, request.notRepeated], [200, true, [], null]);
    const [pick] = picks;
    assert.deepEqual([picks.length, pick?.result, pick?.meaning], [1, 'picked', 'requests in flight for its weight']);
    assert.deepEqual(
      pick?.candidates.map(({ score, excluded }) => [score, excluded]),
      [
        [0, null],
        [0, null],
        [0, null],
      ],
    );
    const [attempt] = attempts;
    assert.deepEqual([attempt?.upstream, attempt?.outcome, attempt?.connection], [pick?.upstream, 'completed', 'new']);
    const times = [0, attempt?.connectMs, attempt?.sentMs, attempt?.headMs, attempt?.totalMs, request.totalMs];
    assert.deepEqual(
      times,
      times.toSorted((a, b) => (a ?? -1) - (b ?? -1)),
      'one after the other',
    );
    await eventually('a kept connection', async () => {
      const again = await explained(site, await site.exchange(requestText('GET /')));
      return again.attempts[0]?.connection === 'reused';
    });
  });

  it('that was repeated names the one that was tried, and why no more were', async () => {
    const resetting = await RawBackend.start((connection) => connection.socket.once('data', () => connection.reset()));
    const fine = await RawBackend.answering(OK);
    await using site = await ProxySite.open([resetting.port, fine.port]);
    site.own(resetting);
    site.own(fine);
    const answer = await site.exchange(requestText('GET /'));
    const { status, picks, attempts } = await explained(site, answer);
    assert.deepEqual([status, picks.length], [200, 2]);
    assert.match(attempts[0]?.outcome ?? '', /^reset/);
    const second = picks[1]?.candidates.map(({ id, excluded }) => [id, excluded]);
    assert.deepEqual(second, [
      [attempts[0]?.upstream, 'tried'],
      [attempts[1]?.upstream, null],
    ]);
    const failed = await explained(site, await site.exchange(requestText('POST /', ['Content-Length: 0'])));
    assert.deepEqual([failed.status, failed.notRepeated], [502, 'method-not-idempotent']);
  });

  it('tells of those that are ejected, unhealthy, draining or full, and why', async () => {
    const backend = await RawBackend.answering(OK);
    const [a, b, c] = [await closedPort(), await closedPort(), await closedPort()];
    const service = { maxConnections: 1, panicThreshold: 0 };
    await using site = await ProxySite.open([a, b, c, backend.port], { service });
    site.own(backend);
    const [ejected, ill, full] = site.upstreams();
    const pool = site.fleet.pool('web');
    assert.ok(ejected && ill && full && pool);
    const since = Date.now() - 1_000;
    site.fleet.judge(pool, ejected, 'ejected', { cause: 'it failed', since, until: since + 60_000, times: 1 });
    site.setHealth(ill, 'unhealthy');
    full.claim();
    const { picks } = await explained(site, await site.exchange(requestText('GET /')));
    full.unclaim(false);
    assert.deepEqual(
      picks[0]?.candidates.map(({ excluded }) => excluded),
      ['ejected', 'unhealthy', 'full', null],
    );
    assert.match(picks[0]?.candidates[0]?.cause ?? '', /^it failed, since .*, until /);
    assert.match(picks[0]?.candidates[1]?.cause ?? '', /^told by the test/);
    assert.deepEqual(picks[0]?.excluded, { ejected: 1, unhealthy: 1, full: 1 });
  });

  it('tells how long it was held, and that it waits while it does', async () => {
    const backend = await RawBackend.answering(OK);
    await using site = await ProxySite.open([backend.port], { service: { hold: LONG } });
    site.own(backend);
    pause(site.fleet);
    const client = await site.client(withId('held'));
    await eventually('it is held', () => held(site) === 1);
    const meanwhile = (await site.engine.explain('held')).found;
    assert.deepEqual([meanwhile?.status, meanwhile?.waits[0]?.why, meanwhile?.waits[0]?.ms], [null, 'held', null]);
    assert.equal(meanwhile?.picks[0]?.result, 'held');
    resume(site.fleet);
    const { status, waits, picks } = await explained(site, await client.rest());
    assert.deepEqual([status, waits.length, picks.at(-1)?.result], [200, 1, 'picked']);
    assert.ok((waits[0]?.ms ?? -1) >= 0);
  });

  it('that got nobody tells who was full', async () => {
    const service = { maxConnections: 1, queue: { limit: 0 } };
    await using site = await ProxySite.open([await closedPort()], { service });
    const [full] = site.upstreams();
    full?.claim();
    const { status, refusal, picks, attempts } = await explained(site, await site.exchange(requestText('GET /')));
    full?.unclaim(false);
    assert.deepEqual([status, refusal, attempts], [503, 'busy', []]);
    assert.deepEqual([picks[0]?.result, picks[0]?.excluded], ['busy', { full: 1 }]);
  });

  it('that goes badly is kept though too many come to record them all', async () => {
    const backend = await RawBackend.answering(OK);
    await using site = await ProxySite.open([backend.port, await closedPort()], {
      explain: { keep: 5, perSecond: 1 },
      now: () => 0, // the second never comes to its end
    });
    site.own(backend);
    const first = await explained(site, await site.exchange(requestText('GET /')));
    assert.deepEqual([first.status, first.sampled, first.picks.length], [200, true, 1]);
    const second = await explained(site, await site.exchange(requestText('GET /')));
    assert.deepEqual([second.status, second.sampled, second.attempts.length], [200, false, 2]);
    assert.deepEqual(
      second.picks.map(({ upstream, excluded }) => [upstream, excluded]),
      [[second.attempts[1]?.upstream, { tried: 1 }]],
      'followed from the repetition on',
    );
    const third = ids(await site.exchange(requestText('GET /')))[0] ?? '';
    const { found, isOurs } = await site.engine.explain(third);
    assert.deepEqual([found, isOurs], [null, true], 'nothing is left for a third one');
  });

  it('is not kept when nobody wants it', async () => {
    await using site = await ProxySite.withBackends(1, { explain: { keep: 0, perSecond: 1 } });
    assert.deepEqual(ids(await site.exchange(withId('abc'))), ['abc']);
    assert.deepEqual(await site.engine.explain('abc'), {
      found: null,
      kept: 0,
      since: null,
      isOurs: false,
      silent: [],
    });
  });
});
