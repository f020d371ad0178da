import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { BroadcastChannel } from 'node:worker_threads';
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

const LONG_MS = 60_000;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = requestText('GET /', ['Connection: keep-alive']);
const UPGRADE = requestText('GET /ws', ['Connection: Upgrade', 'Upgrade: websocket']);
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const CRASHING = new URL('../support/crashing-thread.ts', import.meta.url);
const STILLBORN = new URL('data:text/javascript,throw new Error("stillborn")');

/** Answers at once, but `/held` when told to, and echoes on `/ws`. */
async function backend(): Promise<{ raw: RawBackend; held: RawConnection[] }> {
  const held: RawConnection[] = [];
  const raw = await RawBackend.start((connection) => {
    onHeads(connection, (head) => {
      if (head.startsWith('GET /held')) held.push(connection);
      else if (!head.startsWith('GET /ws')) connection.write(OK);
      else {
        connection.write(SWITCH);
        connection.socket.on('data', (text: string) => connection.write(text));
      }
    });
  });
  return { raw, held };
}

function clients(count: number, port: number, text: string): Promise<RawConnection[]> {
  return Promise.all(Array.from({ length: count }, () => rawClient(port, text)));
}

function crash(thread: number): void {
  const channel = new BroadcastChannel('crash');
  channel.postMessage(thread);
  channel.close();
}

describe('an address that several threads listen on', () => {
  it('is given up: idle clients go, running requests finish, WebSockets last until the deadline', async () => {
    const { raw, held } = await backend();
    await using site = await ThreadedSite.open(4, [raw.port]);
    const running = await clients(24, site.port, requestText('GET /held', ['Connection: keep-alive']));
    const idle = await clients(24, site.port, GET);
    const sockets = await clients(8, site.port, UPGRADE);
    await eventually('all run', () => held.length === 24);
    await Promise.all(idle.map((client) => client.receives('\r\n\r\nok')));
    await Promise.all(sockets.map((socket) => socket.receives('101 Switching')));

    const { port } = site;
    const closed = site.close(2_000);
    await eventually('the idle ones are gone', () => idle.every(({ ended }) => ended));
    await assert.rejects(rawClient(port), { code: 'ECONNREFUSED' });
    for (const connection of held) connection.write(OK);
    for (const client of running) {
      const { status, body, all } = parseMessage(await client.rest());
      assert.deepEqual([status, body, all('connection')], [200, 'ok', ['close']]);
    }
    for (const socket of sockets) socket.write('still.');
    await Promise.all(sockets.map((socket) => socket.receives('still.')));
    await closed;
    await eventually('the WebSockets are cut', () => sockets.every((socket) => socket.ended || socket.closed));
    assert.deepEqual([...site.inFlight().values()], [0]);
    await raw.stop();
  });

  it('is free for another listener at once, while requests on it still run', async () => {
    const { raw, held } = await backend();
    await using site = await ThreadedSite.open(4, [raw.port]);
    const { port } = site;
    const [client] = await clients(1, port, requestText('GET /held'));
    await eventually('it runs', () => held.length === 1);
    const closed = site.close(LONG_MS);
    const other = await site.engine.listen('0.0.0.0', port);
    assert.match(await (await rawClient(port, requestText('GET /'))).rest(), /\r\n\r\nok$/);
    held[0]?.write(OK);
    assert.match((await client?.rest()) ?? '', /\r\n\r\nok$/);
    await Promise.all([closed, other.close(0)]);
    await raw.stop();
  });

  it('is not listened on when no thread gets up, and the error says why', async () => {
    await assert.rejects(ThreadedSite.open(2, [], {}, STILLBORN), /stillborn/);
  });

  it('is tried again by a replaced thread that finds it taken, until it is served as before', async () => {
    const { raw } = await backend();
    await using site = await ThreadedSite.open(1, [raw.port], {}, CRASHING);
    const { port } = site;
    const intruder = createServer();
    site.onCrash = () => void intruder.listen(port, '127.0.0.1');
    crash(1);
    await eventually('it is told that nobody listens', () => site.notListening.length > 0);
    assert.deepEqual(site.troubled, [1]);
    intruder.close();
    await once(intruder, 'close');
    await eventually('it is told that all is well', () => site.troubled.length === 0);
    assert.match(await (await rawClient(port, requestText('GET /'))).rest(), /\r\n\r\nok$/);
    await raw.stop();
  });

  it('is moved while a thread is being replaced, and the new one comes along', async () => {
    const { raw } = await backend();
    await using site = await ThreadedSite.open(1, [raw.port], {}, CRASHING);
    crash(1);
    await eventually('the crash is told', () => site.crashes.length > 0);
    const other = await site.engine.listen('127.0.0.1', 0);
    assert.match(await (await rawClient(other.port, requestText('GET /'))).rest(), /\r\n\r\nok$/);
    await other.close(0);
    await raw.stop();
  });
});
