import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { incarnationOf } from '../../internal/model/incarnation.ts';
import { describeEngines } from '../support/engines.ts';
import { asking, held, listing, LONG, OK, pause, resume } from '../support/holding.ts';
import { instance } from '../support/proxy-fakes.ts';
import { eventually, onHeads, parseMessage, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

const PAGE = '<!doctype html><title>Gleich zurück</title>';

describeEngines('a paused service', () => {
  let dir = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'heimdall-hold-'));
    await writeFile(join(dir, 'page.html'), PAGE);
  });
  after(() => rm(dir, { recursive: true }));

  async function siteOf(hold: Readonly<Record<string, unknown>> = LONG, maxConnections: number | null = null) {
    const { backend, seen } = await listing();
    const site = await ProxySite.open([backend.port], { service: { hold, maxConnections } });
    site.own(backend);
    return { site, seen };
  }

  it('holds what comes, and answers all of it in order when it goes on', async () => {
    const { site, seen } = await siteOf(LONG, 1); // one at a time, so that the backend sees the order
    await using _ = site;
    pause(site.fleet);
    const clients = [];
    for (let n = 0; n < 8; n += 1) {
      clients.push(await site.client(requestText(`GET /${n}`)));
      await eventually('it is held', () => held(site) === n + 1);
    }
    assert.deepEqual(seen, []);
    resume(site.fleet);
    for (const client of clients) assert.equal(parseMessage(await client.rest()).status, 200);
    assert.deepEqual(seen, ['/0', '/1', '/2', '/3', '/4', '/5', '/6', '/7']);
    assert.deepEqual((await site.record()).attempts.length, 1);
  });

  it('loses nothing under load, and sends nothing on meanwhile', async () => {
    const { site, seen } = await siteOf();
    await using _ = site;
    let enough = false;
    const clients = Array.from({ length: 16 }, () => asking(site.port, () => enough));
    for (let round = 1; round <= 3; round += 1) {
      const before = seen.length;
      await eventually('they are at it', () => seen.length > before + 20);
      pause(site.fleet);
      await eventually('all of them are held', () => held(site) === 16 && site.inFlight() === 0);
      const paused = seen.length;
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(seen.length, paused);
      resume(site.fleet);
    }
    const before = seen.length;
    await eventually('they go on', () => seen.length > before + 20);
    enough = true;
    const statuses = (await Promise.all(clients)).flat();
    assert.deepEqual([...new Set(statuses)], [200]);
    assert.equal(site.fleet.demand()[0]?.requests, statuses.length);
  });

  it('answers beyond its limit with 503, and the page for browsers', async () => {
    const { site } = await siteOf({ limit: 1, timeout: '60s', page: join(dir, 'page.html') });
    await using _ = site;
    pause(site.fleet);
    const first = await site.client(requestText('GET /held'));
    await eventually('it is held', () => held(site) === 1);
    const ask = async (accept: string[], line = 'GET /') =>
      parseMessage(await site.exchange(requestText(line, accept)));
    const browser = await ask(['Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8']);
    assert.deepEqual([browser.status, browser.all('retry-after')], [503, ['1']]);
    assert.deepEqual(browser.all('content-type'), ['text/html; charset=utf-8']);
    assert.equal(Buffer.from(browser.body, 'latin1').toString(), PAGE);
    assert.deepEqual(browser.all('content-length'), [String(Buffer.byteLength(PAGE))]);
    assert.equal((await ask(['Accept: text/html'], 'HEAD /')).body, '');
    const json = await ask(['Accept: application/json']);
    assert.deepEqual([json.status, json.all('content-type')], [503, ['application/problem+json']]);
    assert.match((await ask([])).body, /^503 Service Unavailable/);
    assert.match((await ask(['Accept: text/html;q=0, */*'])).body, /^503 Service Unavailable/);
    resume(site.fleet);
    assert.equal(parseMessage(await first.rest()).status, 200);
  });

  it('answers whoever was held too long with 503 and the page, and the next one has a place', async () => {
    const { site } = await siteOf({ limit: 1, timeout: '40ms', page: join(dir, 'page.html') });
    await using _ = site;
    pause(site.fleet);
    for (let n = 0; n < 2; n += 1) {
      const refused = parseMessage(await site.exchange(requestText('GET /', ['Accept: text/html'])));
      assert.deepEqual([refused.status, Buffer.from(refused.body, 'latin1').toString()], [503, PAGE]);
    }
    assert.deepEqual((await site.record()).attempts, []);
  });

  it('gives the ordinary answer when the page is missing', async () => {
    const { site } = await siteOf({ limit: 0, page: join(dir, 'missing.html') });
    await using _ = site;
    pause(site.fleet);
    const refused = parseMessage(await site.exchange(requestText('GET /', ['Accept: text/html'])));
    assert.deepEqual([refused.status, refused.all('content-type')], [503, ['text/plain; charset=utf-8']]);
  });

  it('forgets a client that leaves, also in the middle of its request', async () => {
    const { site, seen } = await siteOf();
    await using _ = site;
    pause(site.fleet);
    const leavers = [
      await site.client(requestText('GET /')),
      await site.client(requestText('POST /', ['Content-Length: 1000'], 'half of it')),
      await site.client(requestText('POST /', ['Content-Length: 10', 'Expect: 100-continue'])),
    ];
    await eventually('they are held', () => held(site) === 3);
    for (const client of leavers) client.close();
    await eventually('they are out of the line', () => held(site) === 0);
    resume(site.fleet);
    assert.equal(await site.statusOf(requestText('GET /after')), 200);
    assert.deepEqual(seen, ['/after']);
  });

  it('invites no body while it holds the request, and hurries nobody who sends one', async () => {
    await using pair = await ProxySite.withRaw(
      (connection) => {
        onHeads(connection, () => connection.write('HTTP/1.1 100 Continue\r\n\r\n'));
        connection.socket.on('data', () => {
          if (connection.received.endsWith('0123456789')) connection.write(OK);
        });
      },
      { service: { hold: LONG }, timeouts: { bodyIdle: 600 } },
    );
    const { site } = pair;
    pause(site.fleet);
    const client = await site.client(requestText('POST /', ['Content-Length: 10', 'Expect: 100-continue']));
    const slow = await site.client(requestText('POST /', ['Content-Length: 10'], '012'));
    await eventually('they are held', () => held(site) === 2);
    slow.write('345');
    await new Promise((resolve) => setTimeout(resolve, 1_200)); // longer than a client may take for its body
    assert.deepEqual([client.received, slow.received], ['', '']);
    resume(site.fleet);
    slow.write('6789');
    await client.receives('100 Continue');
    client.write('0123456789');
    assert.match(await client.rest(), /HTTP\/1\.1 200 OK/);
    assert.match(await slow.rest(), /HTTP\/1\.1 200 OK/);
  });

  it('reads only a little of an upload that it holds, and all of it in the end', async () => {
    const size = 64 * 1024 * 1024;
    let received = 0;
    await using pair = await ProxySite.withRaw(
      (connection) => {
        connection.socket.removeAllListeners('data');
        connection.socket.on('data', (text: string) => {
          received += text.length;
          if (text.endsWith('!')) connection.write(OK);
        });
      },
      { service: { hold: LONG } },
    );
    const { site } = pair;
    pause(site.fleet);
    const client = await site.client(requestText('POST /', [`Content-Length: ${size}`]));
    const chunk = 'x'.repeat(64 * 1024);
    let taken = 0;
    const sending = (async () => {
      for (; taken < size; taken += chunk.length) {
        const isLast = taken + chunk.length === size;
        await new Promise((resolve) => client.socket.write(isLast ? `${chunk.slice(1)}!` : chunk, resolve));
      }
    })();
    await eventually('it is held', () => held(site) === 1);
    await eventually('nothing is read any more', async () => {
      const before = taken;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return taken === before;
    });
    assert.ok(taken < size / 2, `${taken} octets were taken`); // by the kernel, for the most part
    resume(site.fleet);
    assert.match(await client.rest(), /^HTTP\/1\.1 200 OK/);
    await sending;
    assert.ok(received > size);
  });

  it('holds the handshake of a WebSocket, too', async () => {
    const { site } = await siteOf();
    await using _ = site;
    pause(site.fleet);
    const fields = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const client = await site.client(
      requestText('GET /ws', [...fields, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']),
    );
    await eventually('it is held', () => held(site) === 1);
    resume(site.fleet);
    await client.receives('101 Switching');
  });

  it('lets what runs finish', async () => {
    await using pair = await ProxySite.withRaw((connection) => void connection, { service: { hold: LONG } });
    const { site, backend } = pair;
    const client = await site.client(requestText('GET /'));
    await eventually('it runs', () => site.inFlight() === 1);
    pause(site.fleet);
    (await backend.connection(0)).write(OK);
    assert.equal(parseMessage(await client.rest()).status, 200);
  });
});

describeEngines('a service that scales from zero', () => {
  const row = (port: number) => instance('web-1', { port });

  it('holds requests while it has no instance, tells it once, and lets them go when one is healthy', async () => {
    const { backend, seen } = await listing();
    await using site = await ProxySite.open([], { service: { scaleFromZero: true, hold: LONG } });
    site.own(backend);
    const clients = [];
    for (let n = 0; n < 5; n += 1) {
      clients.push(await site.client(requestText(`GET /${n}`)));
      await eventually('it is held', () => held(site) === n + 1);
    }
    assert.equal(site.heldTold, 1);
    assert.deepEqual(site.fleet.demand(), [{ service: 'web', waiting: 5, requests: 5 }]);
    site.fleet.apply([{ ...row(backend.port), lifecycle: 'starting' }]);
    site.fleet.apply([row(backend.port)]);
    assert.equal(held(site), 5, 'it was let go before the first check');
    const incarnation = incarnationOf(row(backend.port));
    site.fleet.healthChanged({ id: 'web-1', incarnation, from: 'unknown', to: 'healthy', cause: '', at: 0 });
    for (const client of clients) assert.equal(parseMessage(await client.rest()).status, 200);
    assert.equal(seen.length, 5);
    assert.deepEqual(site.fleet.demand(), [{ service: 'web', waiting: 0, requests: 5 }]);
  });

  it('has the limits of a pause', async () => {
    await using site = await ProxySite.open([], {
      service: { scaleFromZero: true, hold: { limit: 1, timeout: '50ms' } },
    });
    const waiting = await site.client(requestText('GET /'));
    await eventually('it is held', () => held(site) === 1);
    assert.equal(await site.statusOf(requestText('GET /')), 503);
    assert.equal(parseMessage(await waiting.rest()).status, 503);
  });

  it('is none by default: there is nobody', async () => {
    await using site = await ProxySite.open([]);
    assert.equal(await site.statusOf(requestText('GET /')), 503);
    assert.equal(site.heldTold, 0);
  });
});
