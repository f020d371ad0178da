import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { BroadcastChannel } from 'node:worker_threads';
import { eventually, onHeads, RawBackend, type RawConnection, rawClient, requestText } from '../support/proxy-raw.ts';
import { ThreadedSite } from '../support/threaded-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const KEEP = requestText('GET /', ['Connection: keep-alive']);

async function answered(port: number): Promise<RawConnection> {
  const client = await rawClient(port, KEEP);
  await eventually('the answer', () => client.received.endsWith('\r\n\r\nok'));
  return client;
}

describe('the readings of threads', () => {
  it('are of all their connections, and of what one that hangs does not tell', async () => {
    const entry = new URL('../support/hanging-thread.ts', import.meta.url);
    const backend = await RawBackend.start((connection) => onHeads(connection, () => connection.write(OK)));
    await using site = await ThreadedSite.open(2, [backend.port], {}, entry);
    const clients = await Promise.all(Array.from({ length: 6 }, () => answered(site.port)));
    const readings = await site.engine.readings();
    assert.deepEqual(
      readings.map(({ thread }) => thread),
      [1, 2],
    );
    const sum = (read: (of: NonNullable<(typeof readings)[number]['clients']>) => number) =>
      readings.reduce((before, { clients }) => before + (clients === null ? Number.NaN : read(clients)), 0);
    assert.equal(
      sum(({ open }) => open),
      6,
    );
    assert.equal(
      sum(({ receivedBytes }) => receivedBytes),
      6 * KEEP.length,
    );
    assert.equal(
      sum(({ sentBytes }) => sentBytes),
      clients.reduce((all, { received }) => all + received.length, 0),
    );
    assert.ok(readings.every(({ busyMs }) => busyMs > 0));

    const channel = new BroadcastChannel('hang');
    channel.postMessage(2);
    await once(channel, 'message');
    channel.close();
    const [first, second] = await site.engine.readings();
    assert.notEqual(first?.clients, null);
    assert.equal(second?.clients, null);
    assert.ok((second?.delayMs ?? 0) >= 900, `${second?.delayMs} ms`);
    for (const client of clients) client.close();
    await backend.stop();
  });
});
