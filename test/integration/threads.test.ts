import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { BroadcastChannel } from 'node:worker_threads';
import type { Instance } from '../../internal/model/instance.ts';
import { instance } from '../support/proxy-fakes.ts';
import {
  eventually,
  onHeads,
  parseMessage,
  RawBackend,
  type RawConnection,
  rawClient,
  requestText,
} from '../support/proxy-raw.ts';
import { ThreadedSite } from '../support/threaded-site.ts';

const THREADS = 3;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const KEEP = requestText('GET /', ['Connection: keep-alive']);
const UPGRADE = requestText('GET /ws', ['Connection: Upgrade', 'Upgrade: websocket']);
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

interface Counted extends AsyncDisposable {
  readonly backends: readonly RawBackend[];
  readonly ports: readonly number[];
  /** Requests that each has received. */
  readonly counts: number[];
}

/** Backends that answer every request, or none. */
async function counted(count: number, answer: string | null = OK): Promise<Counted> {
  const counts = Array.from({ length: count }, () => 0);
  const backends = await Promise.all(
    counts.map((_, index) =>
      RawBackend.start((connection) => {
        onHeads(connection, () => {
          counts[index] = (counts[index] ?? 0) + 1;
          if (answer !== null) connection.write(answer);
        });
      }),
    ),
  );
  return {
    backends,
    ports: backends.map(({ port }) => port),
    counts,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(backends.map((backend) => backend.stop()));
    },
  };
}

/** Sends so many requests on one connection, each after the answer to the one before. */
async function converse(port: number, requests: number): Promise<void> {
  const client = await rawClient(port);
  for (let answered = 1; answered <= requests; answered += 1) {
    client.write(KEEP);
    await eventually('the next answer', () => client.received.split('\r\n\r\nok').length > answered);
  }
  client.close();
}

function threadsAtWork(site: ThreadedSite): number {
  const numbers = Array.from({ length: THREADS }, (_, index) => index + 1);
  return numbers.filter((thread) => site.slots.state.inFlightOf(thread) > 0).length;
}

describe('several threads', () => {
  it('go round as one: every backend gets exactly its share', async () => {
    await using backends = await counted(3);
    await using site = await ThreadedSite.open(THREADS, backends.ports);
    await Promise.all(Array.from({ length: 24 }, () => converse(site.port, 20)));
    assert.deepEqual(backends.counts, [160, 160, 160]);
    await eventually('all are released', () => sum([...site.inFlight().values()]) === 0); // a moment after the answer
  });

  it('count as one how requests end, and how long they take', async () => {
    await using good = await counted(1);
    await using bad = await counted(1, 'HTTP/1.1 500 Broken\r\nContent-Length: 2\r\n\r\nok');
    await using site = await ThreadedSite.open(THREADS, [...good.ports, ...bad.ports]);
    await Promise.all(Array.from({ length: 12 }, () => converse(site.port, 10)));
    const pool = site.fleet.pool('web')!;
    await eventually('all are counted', () => pool.endedRequests.ended === 120);
    assert.equal(pool.endedRequests.failed, 60);
    assert.deepEqual(
      [...pool.upstreams()].map(({ latencies }) => sum([...latencies])),
      [60, 60],
    );
  });

  it('count weights as one', async () => {
    await using backends = await counted(3);
    await using site = await ThreadedSite.open(THREADS, [], {
      algorithm: 'weighted-round-robin',
      servers: backends.ports.map((port, index) => ({ address: `127.0.0.1:${port}`, weight: [5, 3, 2][index] })),
    });
    await Promise.all(Array.from({ length: 20 }, () => converse(site.port, 10)));
    assert.deepEqual(backends.counts, [100, 60, 40]);
  });

  it('see each other’s requests: least connections keeps all backends equally busy', async () => {
    await using backends = await counted(5, null);
    await using site = await ThreadedSite.open(THREADS, backends.ports, { algorithm: 'least-connections' });
    const clients: RawConnection[] = [];
    for (let held = 1; held <= 30; held += 1) {
      clients.push(await rawClient(site.port, KEEP));
      await eventually('the request is on its way', () => sum(backends.counts) === held);
      assert.ok(Math.max(...backends.counts) - Math.min(...backends.counts) <= 1, backends.counts.join(' '));
    }
    assert.ok(threadsAtWork(site) > 1, 'one thread took everything');
    for (const client of clients) client.close();
    await eventually('all are released', () => sum([...site.inFlight().values()]) === 0);
  });

  it('stop picking an upstream the moment the main thread says so', async () => {
    await using backends = await counted(2);
    await using site = await ThreadedSite.open(THREADS, []);
    const rows = (lifecycle: Instance['lifecycle']) =>
      backends.ports.map((port, index) =>
        instance(`web-${index}`, { port, lifecycle: index === 0 ? lifecycle : 'ready' }),
      );
    site.fleet.apply(rows('ready'));
    for (const { id, incarnation, health } of site.fleet.pool('web')?.upstreams() ?? []) {
      site.fleet.healthChanged({ id, incarnation, from: health, to: 'healthy', cause: 'told by the test', at: 0 });
    }
    const drained = site.fleet.pool('web')?.get('web-0') ?? assert.fail();
    const conversations = Array.from({ length: 24 }, () => converse(site.port, 30));
    await eventually('it is busy', () => drained.picks > 100);
    site.fleet.apply(rows('draining'));
    const { picks } = drained;
    await Promise.all(conversations);
    assert.equal(drained.picks, picks);
    assert.equal(sum(backends.counts), 24 * 30);
    assert.equal(backends.counts[0], picks);
  });

  it('learn of a new upstream, and forget a removed one', async () => {
    await using backends = await counted(3);
    await using site = await ThreadedSite.open(THREADS, backends.ports.slice(0, 1));
    await converse(site.port, 4);
    const changedAt = performance.now();
    site.use(backends.ports);
    await Promise.all(
      Array.from({ length: 8 }, () => untilCounted(site.port, () => backends.counts.every((n) => n > 0))),
    );
    const milliseconds = Math.round(performance.now() - changedAt);
    site.use(backends.ports.slice(1));
    const before = backends.counts[0];
    await Promise.all(Array.from({ length: 8 }, () => converse(site.port, 10)));
    assert.equal(backends.counts[0], before);
    console.log(`# a new upstream was in use by all threads after ${milliseconds} ms`);
  });

  it('keep 60 WebSockets through 30 additions and removals of others', async () => {
    const echo = await RawBackend.start((connection) => {
      let switched = false;
      connection.socket.on('data', (text: string) => {
        if (switched) connection.write(text);
        else connection.write(SWITCH);
        switched = true;
      });
    });
    await using site = await ThreadedSite.open(THREADS, [echo.port]);
    await using others = await counted(2);
    const sockets = await Promise.all(Array.from({ length: 60 }, () => rawClient(site.port, UPGRADE)));
    await Promise.all(sockets.map((socket) => socket.receives('101 Switching')));
    for (let cycle = 0; cycle < 30; cycle += 1) {
      site.use([echo.port, ...others.ports]);
      const socket = sockets[cycle] ?? assert.fail();
      socket.write(`cycle ${cycle}.`);
      await socket.receives(`cycle ${cycle}.`);
      site.use([echo.port]);
    }
    for (const [index, socket] of sockets.entries()) socket.write(`still ${index}.`);
    await Promise.all(sockets.map((socket, index) => socket.receives(`still ${index}.`)));
    assert.deepEqual(
      sockets.filter(({ ended, closed }) => ended || closed),
      [],
    );
    assert.equal(site.inFlight().get(echo.port), 60);
    for (const socket of sockets) socket.close();
    await eventually('all are released', () => site.inFlight().get(echo.port) === 0);
    await echo.stop();
  });

  it('lose one of them: it is replaced and told of, and the others’ connections live on', async () => {
    await using backends = await counted(2, null);
    const entry = new URL('../support/crashing-thread.ts', import.meta.url);
    await using site = await ThreadedSite.open(THREADS, backends.ports, {}, entry);
    const clients = await Promise.all(Array.from({ length: 40 }, () => rawClient(site.port, KEEP)));
    await eventually('all are on their way', () => sum(backends.counts) === 40);
    const { state } = site.slots;
    const crashing = [1, 2, 3].find((thread) => state.inFlightOf(thread) > 0) ?? 0;
    const lost = state.inFlightOf(crashing);
    const channel = new BroadcastChannel('crash');
    channel.postMessage(crashing);
    await eventually('the crash is told', () => site.crashes.length > 0);
    channel.close();
    assert.equal(site.crashes[0]?.thread, crashing);
    assert.match(site.crashes[0]?.error.message ?? '', /told to crash/);
    await eventually('its requests are taken off', () => sum([...site.inFlight().values()]) === 40 - lost);
    await eventually(
      'its connections are closed',
      () => clients.filter(({ ended, closed }) => ended || closed).length === lost,
    );
    const busyAgain = async () => {
      clients.push(await rawClient(site.port, KEEP));
      return state.inFlightOf(crashing) > 0;
    };
    await eventually('another takes its place', busyAgain);
    for (const client of clients) client.close();
    await eventually('all are released', () => sum([...site.inFlight().values()]) === 0);
  });

  it('do not hold up the end of the others when one of them hangs', async () => {
    await using backends = await counted(1);
    const entry = new URL('../support/hanging-thread.ts', import.meta.url);
    await using site = await ThreadedSite.open(2, backends.ports, {}, entry);
    const channel = new BroadcastChannel('hang');
    const hangs = once(channel, 'message');
    channel.postMessage(1);
    await hangs;
    channel.close();
    await site.close(50);
  });

  it('answer for each other when somebody asks for a request, and name the one that hangs', async () => {
    await using backends = await counted(1);
    const entry = new URL('../support/hanging-thread.ts', import.meta.url);
    await using site = await ThreadedSite.open(2, backends.ports, {}, entry);
    const threads = new Set<number>();
    await eventually('both have had a request', async () => {
      const answer = await (await rawClient(site.port, requestText('GET /'))).rest();
      const [id = ''] = parseMessage(answer).all('x-request-id');
      const { found, silent } = await site.engine.explain(id);
      assert.deepEqual([found?.id, found?.status, silent], [id, 200, []]);
      threads.add(found?.thread ?? 0);
      return threads.has(1) && threads.has(2);
    });
    const channel = new BroadcastChannel('hang');
    const hangs = once(channel, 'message');
    channel.postMessage(2);
    await hangs;
    channel.close();
    const { found, isOurs, silent } = await site.engine.explain('nobody-has-had-this');
    assert.deepEqual([found, isOurs, silent], [null, false, [2]]);
    await site.close(50);
  });

  it('have sent every line of the access log when a change of it has reached them', async () => {
    await using backends = await counted(1);
    await using site = await ThreadedSite.open(2, backends.ports);
    await site.engine.setLines({ format: '{method} {target}', headers: [] });
    await Promise.all(Array.from({ length: 8 }, () => converse(site.port, 1)));
    await site.engine.setLines(null);
    assert.deepEqual(site.lines, Array(8).fill('GET /'));
  });

  it('refuse an address that somebody else listens on', async () => {
    await using site = await ThreadedSite.open(2, []);
    await assert.rejects(site.engine.listen('127.0.0.1', site.port), { code: 'EADDRINUSE' });
  });

  it('tell the main thread of a failed connect', async () => {
    await using backends = await counted(1);
    const [port = 0] = backends.ports;
    await using site = await ThreadedSite.open(2, [port]);
    await backends[Symbol.asyncDispose]();
    await (await rawClient(site.port, requestText('GET /'))).rest();
    await eventually('it is told', () => site.connectFailures.length > 0);
    assert.match(site.connectFailures[0] ?? '', /^web@127\.0\.0\.1:\d+ ECONNREFUSED$/);
  });
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Sends requests, each on a connection of its own, until a condition holds. */
async function untilCounted(port: number, holds: () => boolean): Promise<void> {
  while (!holds()) await converse(port, 1);
}
