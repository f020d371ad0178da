import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeEngines } from '../support/engines.ts';
import {
  closedPort,
  eventually,
  onHeads,
  parseMessage,
  RawBackend,
  rawClient,
  requestText,
} from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';
import { ThreadedSite } from '../support/threaded-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const HANDSHAKE = requestText('GET /ws', [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]);

/** A backend that answers when it is told to, and knows what it has in hand. */
class Held {
  readonly backend: RawBackend;
  /** Start lines, in the order they came. */
  readonly seen: string[] = [];
  most = 0;
  readonly #answers: (() => void)[];

  private constructor(backend: RawBackend, seen: string[], answers: (() => void)[]) {
    this.backend = backend;
    this.seen = seen;
    this.#answers = answers;
  }

  static async start(): Promise<Held> {
    const seen: string[] = [];
    const answers: (() => void)[] = [];
    const backend = await RawBackend.start((connection) => {
      onHeads(connection, (head) => {
        seen.push(head.split(' ', 2)[1] ?? '');
        answers.push(() => connection.write(head.includes('pgrade: websocket') ? SWITCH : OK));
        held.most = Math.max(held.most, answers.length);
      });
    });
    const held = new Held(backend, seen, answers);
    return held;
  }

  /** Answers the request that has waited longest. */
  async answer(): Promise<void> {
    await eventually('a request is here', () => this.#answers.length > 0);
    this.#answers.shift()?.();
  }
}

describeEngines('an upstream that takes two requests at a time', () => {
  async function siteOf(service: Readonly<Record<string, unknown>>) {
    const held = await Held.start();
    const site = await ProxySite.open([held.backend.port], { service: { maxConnections: 2, ...service } });
    site.own(held.backend);
    return { held, site };
  }
  const patient = { queue: { limit: 10, timeout: '60s' } };

  it('never gets a third; the others wait, and are served in their order', async () => {
    const { held, site } = await siteOf(patient);
    await using _ = site;
    const clients = [];
    for (let n = 0; n < 6; n += 1) {
      clients.push(await site.client(requestText(`GET /${n}`)));
      const [pool] = site.fleet.pools();
      await eventually('it is held or waits', () => held.seen.length + (pool?.waiting ?? 0) === n + 1);
    }
    assert.equal(site.inFlight(), 2);
    assert.deepEqual(site.fleet.demand(), [{ service: 'web', waiting: 4, requests: 6 }]);
    for (let n = 0; n < 6; n += 1) await held.answer();
    for (const client of clients) assert.equal(parseMessage(await client.rest()).status, 200);
    assert.deepEqual(held.seen, ['/0', '/1', '/2', '/3', '/4', '/5']);
    assert.equal(held.most, 2);
  });

  it('leaves who has waited in vain with 503 and Retry-After, and no attempt', async () => {
    const { held, site } = await siteOf({ queue: { limit: 10, timeout: '50ms' } });
    await using _ = site;
    const held1 = [await site.client(requestText('GET /a')), await site.client(requestText('GET /b'))];
    await eventually('it is full', () => held.seen.length === 2);
    const refused = parseMessage(await site.exchange(requestText('GET /c')));
    assert.deepEqual([refused.status, refused.all('retry-after')], [503, ['1']]);
    assert.deepEqual((await site.record()).attempts, []);
    for (const client of held1) {
      await held.answer();
      assert.equal(parseMessage(await client.rest()).status, 200);
    }
  });

  it('refuses at once what the line has no place for', async () => {
    const { held, site } = await siteOf({ queue: { limit: 1, timeout: '60s' } });
    await using _ = site;
    for (const path of ['/a', '/b', '/waits']) await site.client(requestText(`GET ${path}`));
    const [pool] = site.fleet.pools();
    await eventually('one waits', () => pool?.waiting === 1 && held.seen.length === 2);
    assert.equal(await site.statusOf(requestText('GET /too-many')), 503);
  });

  it('forgets a client that leaves the line', async () => {
    const { held, site } = await siteOf(patient);
    await using _ = site;
    const [a] = [await site.client(requestText('GET /a')), await site.client(requestText('GET /b'))];
    await eventually('it is full', () => held.seen.length === 2);
    const [pool] = site.fleet.pools();
    const leaver = await site.client(requestText('GET /leaver'));
    await eventually('it waits', () => pool?.waiting === 1);
    leaver.close();
    await eventually('it is out of the line', () => pool?.waiting === 0);
    await held.answer();
    await a?.rest();
    assert.deepEqual(held.seen, ['/a', '/b']);
  });

  it('counts WebSockets, for as long as they last', async () => {
    const { held, site } = await siteOf(patient);
    await using _ = site;
    const sockets = [await site.client(HANDSHAKE), await site.client(HANDSHAKE)];
    for (const socket of sockets) {
      await held.answer();
      await socket.receives('101 Switching');
    }
    const waiting = await site.client(requestText('GET /after'));
    const [pool] = site.fleet.pools();
    await eventually('it waits', () => pool?.waiting === 1);
    sockets[0]?.close();
    await held.answer();
    assert.equal(parseMessage(await waiting.rest()).status, 200);
  });

  it('takes the retry of a request that another refused, in its turn', async () => {
    const { held, site } = await siteOf(patient);
    await using _ = site;
    site.use([await closedPort(), held.backend.port], { maxConnections: 2, ...patient });
    const clients = await Promise.all(Array.from({ length: 5 }, () => site.client(requestText('GET /'))));
    for (let n = 0; n < 5; n += 1) await held.answer();
    for (const client of clients) assert.equal(parseMessage(await client.rest()).status, 200);
    assert.ok(held.most <= 2);
  });

  it('tells those who wait at once when it is gone', async () => {
    const { held, site } = await siteOf(patient);
    await using _ = site;
    const busy = [await site.client(requestText('GET /a')), await site.client(requestText('GET /b'))];
    await eventually('it is full', () => held.seen.length === 2);
    const waiting = await site.client(requestText('GET /c'));
    const [pool] = site.fleet.pools();
    await eventually('it waits', () => pool?.waiting === 1);
    site.use([], { maxConnections: 2, ...patient });
    assert.equal(parseMessage(await waiting.rest()).status, 503);
    for (const client of busy) {
      await held.answer();
      assert.equal(parseMessage(await client.rest()).status, 200);
    }
  });
});

describe('four threads', () => {
  it('together never give an upstream more than it takes, and serve all who wait', async () => {
    let running = 0;
    let most = 0;
    const backend = await RawBackend.start((connection) => {
      onHeads(connection, () => {
        running += 1;
        most = Math.max(most, running);
        setTimeout(() => {
          running -= 1;
          connection.write(OK);
        }, 1);
      });
    });
    await using site = await ThreadedSite.open(4, [backend.port], {
      maxConnections: 3,
      queue: { limit: 1_000, timeout: '60s' },
    });
    const clients = await Promise.all(Array.from({ length: 200 }, () => rawClient(site.port, requestText('GET /'))));
    for (const client of clients) assert.equal(parseMessage(await client.rest()).status, 200);
    assert.equal(most, 3);
    await backend.stop();
  });
});
