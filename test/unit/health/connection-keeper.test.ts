import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { ConnectionKeeper } from '../../../internal/health/connection-keeper.ts';
import { probe, type ProbeResult } from '../../../internal/health/probe.ts';
import type { ProbeTarget } from '../../../internal/health/probe-request.ts';
import { HealthCheckSchema } from '../../../internal/model/health-check.ts';
import { probeBackends } from '../../support/probe-backends.ts';
import { eventually } from '../../support/proxy-raw.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const check = (changes: Record<string, unknown> = {}) => HealthCheckSchema.parse({ timeout: '10s', ...changes });
const { sockets, listen, serve } = probeBackends();

let keeper = new ConnectionKeeper();
afterEach(() => {
  keeper.close();
  keeper = new ConnectionKeeper();
});

/** One probe after the other over what is kept. */
async function probes(
  count: number,
  target: ProbeTarget,
  changes: Record<string, unknown> = {},
): Promise<ProbeResult[]> {
  const results: ProbeResult[] = [];
  for (let n = 0; n < count; n++) results.push(await probe(target, check(changes), undefined, keeper));
  return results;
}

/** Answers each request as `serve` does; it is told the numbers of connection and request, both from 0. */
async function raw(serve: (socket: net.Socket, connection: number, request: number) => void) {
  const requests: string[][] = [];
  const target = await listen(
    net.createServer((socket) => {
      const connection = requests.push([]) - 1;
      socket.on('data', (chunk) => {
        const request = (requests[connection]?.push(chunk.toString('latin1')) ?? 0) - 1;
        serve(socket, connection, request);
      });
    }),
  );
  return { target, requests, counts: () => requests.map((of) => of.length) };
}

const passes = (results: readonly ProbeResult[]) => results.map(({ passed }) => passed);

describe('probes of one target', () => {
  it('share a connection, ten of them, and then use another one', async () => {
    const { target, requests, counts } = await raw((socket) => socket.write(OK));
    const results = await probes(21, target);
    assert.ok(results.every(({ passed }) => passed));
    assert.deepEqual(counts(), [10, 10, 1]);
    const closing = requests.map((of) => of.map((text) => /^Connection: close\r$/m.test(text)));
    assert.deepEqual(closing[0], [...Array.from({ length: 9 }, () => false), true]);
    await eventually('one is open', () => sockets.size === 1);
  });

  it('share none when that is not wanted, makes no sense, or nothing keeps it', async () => {
    const { target, counts } = await raw((socket) => socket.write(OK));
    await probes(2, target, { reuseConnection: false });
    await probes(2, target, { interval: '11s' });
    await probes(2, target, { type: 'tcp' });
    await probe(target, check());
    await eventually('all are seen', () => counts().length === 7);
    assert.deepEqual(counts(), [1, 1, 1, 1, 0, 0, 1]);
    await eventually('none is open', () => sockets.size === 0);
  });

  it('use a new one after a failure, and after an answer that ends its own', async () => {
    const answers = [
      'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n',
      `${OK}HTTP/1.1 200 OK\r\n`,
      OK,
    ];
    const { target, counts } = await raw((socket, connection) => socket.write(answers[connection] ?? OK));
    assert.deepEqual(passes(await probes(6, target)), [false, true, true, true, true, true]);
    assert.deepEqual(counts(), [1, 1, 1, 1, 2]);
  });

  it('wait a little for the rest of an answer, so that its connection can be kept', async () => {
    const { target, counts } = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n');
      setImmediate(() => socket.write('0\r\n\r\n'));
    });
    await probes(3, target);
    assert.deepEqual(counts(), [3]);
  });

  it('do not wait for an answer without end, and count the time until it was clear', async () => {
    const { target, counts } = await raw((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok'));
    const results = await probes(2, target);
    assert.deepEqual(passes(results), [true, true]);
    assert.ok(results.every(({ elapsedMs }) => elapsedMs < 5_000));
    assert.deepEqual(counts(), [1, 1]);
  });
});

describe('a kept connection', () => {
  it('that was closed meanwhile is no failure, and is not tried', async () => {
    const { target, counts } = await raw((socket) => socket.end(OK));
    await probes(1, target);
    await eventually('it is closed', () => sockets.size === 0);
    assert.deepEqual(passes(await probes(1, target)), [true]);
    assert.deepEqual(counts(), [1, 1]);
  });

  it('that is closed or reset in place of an answer is no failure: the same probe goes on over a new one', async () => {
    for (const end of ['destroy', 'resetAndDestroy'] as const) {
      const { target, counts } = await raw((socket, connection, request) => {
        if (connection === 0 && request === 1) socket[end]();
        else socket.write(OK);
      });
      assert.deepEqual(passes(await probes(3, target)), [true, true, true], end);
      assert.deepEqual(counts(), [2, 2], end);
      keeper.close();
    }
  });

  it('that breaks within the answer is a failure', async () => {
    const { target } = await raw((socket, _connection, request) => {
      if (request === 0) socket.write(OK);
      else socket.end('HTTP/1.1 200');
    });
    const [, second] = await probes(2, target);
    assert.equal(second?.cause, 'response cut short');
  });

  it('is not tried a third time', async () => {
    const { target, counts } = await raw((socket, connection, request) => {
      if (connection === 0 && request === 0) socket.write(OK);
      else socket.destroy();
    });
    const [, second] = await probes(2, target);
    assert.equal(second?.cause, 'connection closed before the response');
    assert.deepEqual(counts(), [2, 1]);
  });

  it('is no reprieve for an instance that is gone, or hangs', async () => {
    const { target } = await raw((socket, _connection, request) => {
      if (request === 0) socket.write(OK);
    });
    await probes(1, target);
    const [second] = await probes(1, target, { timeout: '50ms' });
    assert.equal(second?.cause, 'timeout after 50 ms');

    const gone = await raw((socket) => socket.write(OK));
    await probes(1, gone.target);
    await new Promise((resolve) => {
      gone.target.server.close(resolve);
      for (const socket of sockets) socket.destroy();
    });
    const [third] = await probes(1, gone.target);
    assert.equal(third?.cause, 'connect ECONNREFUSED');
  });

  // An answer that nobody has asked for would be taken for the answer to the next probe.
  it('is closed when something comes unasked', async () => {
    const { target, counts } = await raw((socket) => socket.write(OK));
    await probes(1, target);
    for (const socket of sockets) socket.write(OK);
    await eventually('it is closed', () => sockets.size === 0);
    await probes(1, target);
    assert.deepEqual(counts(), [1, 1]);
  });

  it('is closed with its keeper', async () => {
    const { target } = await raw((socket) => socket.write(OK));
    await probes(1, target);
    assert.equal(sockets.size, 1);
    keeper.close();
    await eventually('it is closed', () => sockets.size === 0);
  });

  it('is closed when the probe over it is aborted', async () => {
    const { target } = await raw((socket, _connection, request) => {
      if (request === 0) socket.write(OK);
    });
    await probes(1, target);
    const ending = new AbortController();
    const probing = probe(target, check(), ending.signal, keeper);
    ending.abort();
    assert.equal((await probing).cause, 'aborted');
    await eventually('it is closed', () => sockets.size === 0);
  });

  it('works with the keep-alive of a real server', async () => {
    let connections = 0;
    const target = await serve((_request, response) => response.end('ok'));
    target.server.on('connection', () => (connections += 1));
    assert.ok(passes(await probes(10, target, { body: 'ok' })).every(Boolean));
    assert.equal(connections, 1);
    await once(target.server.close(), 'close'); // no connection is left
  });
});
