import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Silence } from '../../internal/health/silence.ts';
import type { Upstream } from '../../internal/proxy/upstream.ts';
import { DeafListener } from '../support/deaf-listener.ts';
import { describeEngines } from '../support/engines.ts';
import { eventually, parseMessage, RawBackend, type RawConnection, requestText } from '../support/proxy-raw.ts';
import { ProxySite, type SiteOptions } from '../support/proxy-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const POST = requestText('POST /', ['Content-Length: 5'], 'hello');

/** A backend that takes requests and answers none, and in its pool a second one that answers all. */
async function siteOf(options: SiteOptions = {}, others = 1) {
  const mute = await RawBackend.start(() => {});
  const answering = await Promise.all(Array.from({ length: others }, () => RawBackend.answering(OK)));
  const site = await ProxySite.open(
    [mute, ...answering].map(({ port }) => port),
    options,
  );
  for (const backend of [mute, ...answering]) site.own(backend);
  return { site, mute, answering, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
}

function upstreamAt(site: ProxySite, port: number): Upstream {
  return site.upstreams().find(({ instance }) => instance.port === port)!;
}

/** As the monitor tells it. */
function fallsSilent(site: ProxySite, port: number, silence: Silence = 'host'): void {
  const upstream = upstreamAt(site, port);
  const { id, incarnation } = upstream;
  site.setHealth(upstream, 'unhealthy');
  site.fleet.fellSilent({ id, incarnation, silence, cause: 'connect timeout after 500 ms' });
}

/** The first request goes to the mute one. */
async function waitingOn(site: ProxySite, backend: RawBackend, text: string): Promise<RawConnection> {
  const client = await site.client(text);
  await (await backend.connection(0)).receives(text.startsWith('POST') ? 'hello' : '\r\n\r\n');
  return client;
}

describeEngines('a request that waits for an instance which answers nobody any more', () => {
  it('is repeated on another one where that does no harm', async () => {
    for (const text of [requestText('GET /'), requestText('PUT /', ['Content-Length: 5'], 'hello')]) {
      await using at = await siteOf();
      const client = await waitingOn(at.site, at.mute, text);
      fallsSilent(at.site, at.mute.port);
      assert.equal(parseMessage(await client.rest()).status, 200);
      const { attempts, termination } = await at.site.record();
      assert.deepEqual(
        attempts.map(({ outcome }) => outcome),
        ['reset: given up: connect timeout after 500 ms', 'completed'],
      );
      assert.equal(termination, 'completed');
    }
  });

  it('waits on where a repetition might do harm: its answer may still come', async () => {
    await using at = await siteOf();
    const client = await waitingOn(at.site, at.mute, POST);
    fallsSilent(at.site, at.mute.port);
    assert.equal(await at.site.statusOf(requestText('GET /')), 200); // by the other one
    (await at.mute.connection(0)).write(OK);
    assert.equal(parseMessage(await client.rest()).status, 200);
    assert.deepEqual(await at.site.outcomes(1), ['completed']);
  });

  it('waits on where nobody else is fit, or so few that health is ignored', async () => {
    await using alone = await siteOf({}, 0);
    await using panics = await siteOf({ service: { panicThreshold: 0.9 } }, 2);
    for (const { site, mute, answering } of [alone, panics]) {
      const client = await waitingOn(site, mute, requestText('GET /'));
      if (answering[0]) site.setHealth(upstreamAt(site, answering[0].port), 'unhealthy');
      fallsSilent(site, mute.port);
      (await mute.connection(0)).write(OK);
      assert.equal(parseMessage(await client.rest()).status, 200);
      assert.deepEqual(await site.outcomes(), ['completed']);
    }
  });

  it('waits on once the retries are spent', async () => {
    await using at = await siteOf({ retries: { attempts: 0 } });
    const client = await waitingOn(at.site, at.mute, requestText('GET /'));
    fallsSilent(at.site, at.mute.port);
    (await at.mute.connection(0)).write(OK);
    assert.equal(parseMessage(await client.rest()).status, 200);
  });

  it('waits on once the budget is spent, which a hundred retries are free of', async () => {
    await using at = await siteOf({ retries: { budget: 0 }, now: () => 0 });
    const other = upstreamAt(at.site, at.answering[0]?.port ?? 0);
    at.site.setHealth(other, 'unhealthy'); // all go to the mute one
    const clients = await Promise.all(Array.from({ length: 105 }, () => at.site.client(requestText('GET /'))));
    await eventually('all wait', () => at.mute.connections.filter(({ received }) => received !== '').length === 105);
    at.site.setHealth(other, 'healthy');
    fallsSilent(at.site, at.mute.port);
    await eventually('a hundred are answered', () => at.site.records.length === 100);
    for (const connection of at.mute.connections) connection.write(OK);
    for (const client of clients) assert.equal(parseMessage(await client.rest()).status, 200);
    const attempts = at.site.records.map((record) => record.attempts.length);
    assert.deepEqual([attempts.filter((count) => count === 2).length, attempts.length], [100, 105]);
  });

  it('goes on when its answer has begun', async () => {
    await using at = await siteOf();
    const client = await waitingOn(at.site, at.mute, requestText('GET /'));
    const upstream = await at.mute.connection(0);
    upstream.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
    await client.receives(/\r\n\r\no$/);
    fallsSilent(at.site, at.mute.port);
    upstream.write('k');
    assert.equal(parseMessage(await client.rest()).body, 'ok');
    assert.deepEqual(await at.site.outcomes(), ['completed']);
  });

  it('is left alone when it is another instance', async () => {
    await using at = await siteOf();
    const client = await waitingOn(at.site, at.mute, requestText('GET /'));
    fallsSilent(at.site, at.answering[0]?.port ?? 0);
    (await at.mute.connection(0)).write(OK);
    assert.equal(parseMessage(await client.rest()).status, 200);
    assert.deepEqual(await at.site.outcomes(), ['completed']);
  });

  it('goes elsewhere at once, whatever its method, while it still connects', async () => {
    await using deaf = await DeafListener.open();
    const backend = await RawBackend.answering(OK);
    await using site = await ProxySite.open([deaf.port, backend.port]);
    site.own(backend);
    const client = await site.client(requestText('POST /', ['Content-Length: 0']));
    await eventually('it is under way', () => site.inFlight() === 1);
    fallsSilent(site, deaf.port, 'app'); // somebody takes connections there, so that this one may come about
    fallsSilent(site, deaf.port);
    assert.equal(parseMessage(await client.rest()).status, 200);
    assert.deepEqual(await site.outcomes(), ['connect-failed', 'completed']);
  });

  it('leaves no idle connection behind that the next one would be sent on', async () => {
    const backend = await RawBackend.answering(OK);
    await using site = await ProxySite.open([backend.port]);
    site.own(backend);
    const client = await site.client(requestText('GET /', ['Connection: keep-alive']));
    await client.receives(/\r\n\r\nok$/);
    fallsSilent(site, backend.port);
    await eventually('it is closed', async () => (await backend.connection(0)).ended);
  });
});
