import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { probe } from '../../../internal/health/probe.ts';
import { HealthCheckSchema } from '../../../internal/model/health-check.ts';
import { DeafListener } from '../../support/deaf-listener.ts';
import { probeBackends } from '../../support/probe-backends.ts';

/** Generous where the timeout is not what is tested. */
const check = (changes: Record<string, unknown> = {}) => HealthCheckSchema.parse({ timeout: '10s', ...changes });

const { sockets, listen, serve, answer, say, closedPort } = probeBackends();

describe('an HTTP probe', () => {
  it('passes on any 2xx and 3xx unless told otherwise, and says what it saw', async () => {
    const result = await probe(await answer(204), check());
    assert.equal(result.passed, true);
    assert.match(result.cause, /^passed \(204 in \d+ ms\)$/);
    assert.ok(result.elapsedMs > 0);
  });

  it('fails on any other status', async () => {
    for (const status of [404, 503]) {
      const { passed, cause } = await probe(await answer(status), check());
      assert.deepEqual({ passed, cause }, { passed: false, cause: `status ${status}` });
    }
  });

  it('honours single statuses and ranges, both ends included', async () => {
    const expect = [204, '401-403'];
    const passes: Record<number, boolean> = {};
    for (const status of [200, 204, 400, 401, 403, 404]) {
      passes[status] = (await probe(await answer(status), check({ expect }))).passed;
    }
    assert.deepEqual(passes, { 200: false, 204: true, 400: false, 401: true, 403: true, 404: false });
  });

  it('judges a redirect by its status and does not follow it', async () => {
    const paths: string[] = [];
    const target = await serve((request, response) => {
      paths.push(request.url ?? '');
      response.writeHead(302, { Location: '/elsewhere' }).end();
    });
    assert.match((await probe(target, check())).cause, /^passed \(302/);
    assert.equal((await probe(target, check({ expect: [200] }))).cause, 'status 302');
    assert.deepEqual(paths, ['/health', '/health']);
  });

  it('asks for its path with its own address as Host, and names itself', async () => {
    const requests: IncomingMessage[] = [];
    const target = await serve((request, response) => {
      requests.push(request);
      response.end();
    });
    await probe(target, check({ path: '/up?deep=1' }));
    await probe(target, check({ host: 'app.example' }));
    const [first, second] = requests;
    assert.equal(first?.url, '/up?deep=1');
    assert.equal(first?.method, 'GET');
    assert.equal(first?.headers.host, `127.0.0.1:${target.port}`);
    assert.equal(first?.headers['user-agent'], 'heimdall-health');
    assert.equal(first?.headers.connection, 'close');
    assert.equal(second?.headers.host, 'app.example');
  });

  it('carries the fields that were asked for, and its own unless they take their place', async () => {
    const fields: string[][] = [];
    const target = await serve((request, response) => {
      fields.push(request.rawHeaders);
      response.end();
    });
    const address = `127.0.0.1:${target.port}`;
    await probe(target, check({ headers: { Authorization: 'Bearer a b', 'X-Empty': '' } }));
    await probe(target, check({ headers: { 'user-agent': 'me', ACCEPT: 'text/plain' } }));
    assert.deepEqual(fields, [
      [
        ...['Host', address, 'Authorization', 'Bearer a b', 'X-Empty', ''],
        ...['User-Agent', 'heimdall-health', 'Accept', '*/*', 'Connection', 'close'],
      ],
      ['Host', address, 'user-agent', 'me', 'ACCEPT', 'text/plain', 'Connection', 'close'],
    ]);
  });

  it('names the error of a connect that fails', async () => {
    const port = await closedPort();
    for (const host of ['127.0.0.1', 'localhost']) {
      const { passed, cause } = await probe({ host, port }, check());
      assert.deepEqual({ passed, cause }, { passed: false, cause: 'connect ECONNREFUSED' });
    }
  });

  it('fails when the connection closes without an answer, or the answer is not HTTP', async () => {
    const silent = await listen(net.createServer((socket) => socket.once('data', () => socket.end())));
    assert.equal((await probe(silent, check())).cause, 'connection closed before the response');
    const ssh = await probe(await say('SSH-2.0-OpenSSH\r\n'), check());
    assert.equal(ssh.cause, 'not an HTTP response ("SSH-2.0-OpenSSH")');
  });

  it('tells a reset and an answer that breaks off from a close', async () => {
    const resetting = await listen(net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy())));
    assert.equal((await probe(resetting, check())).cause, 'connection reset before the response');
    assert.equal((await probe(await say('HTTP/1.1 200 OK\r\nX-'), check())).cause, 'response cut short');
  });

  it('waits for the answer after the interim ones', async () => {
    const target = await serve((_request, response) => {
      response.writeContinue();
      response.writeEarlyHints({ link: '</style.css>' });
      setImmediate(() => response.writeHead(204).end());
    });
    assert.match((await probe(target, check())).cause, /^passed \(204 /);
  });

  it('reads an answer that comes octet by octet', async () => {
    const target = await listen(
      net.createServer((socket) => {
        const octets = [...'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n'];
        const drip = setInterval(() => socket.write(octets.shift() ?? ''), 1);
        socket.on('close', () => clearInterval(drip));
      }),
    );
    assert.equal((await probe(target, check({ body: 'ok' }))).passed, true);
  });

  it('does not read a head without end', async () => {
    const target = await listen(
      net.createServer((socket) => {
        const write = () => {
          while (!socket.destroyed && socket.write('X-More: and more\r\n'.repeat(100)));
        };
        socket.write('HTTP/1.1 200 OK\r\n');
        socket.on('drain', write);
        write();
      }),
    );
    assert.equal((await probe(target, check())).cause, 'response head longer than 16 KiB');
  });

  it('is no way to write further fields into the request', async () => {
    const target = await answer(200);
    const fields = [{ 'X: 1\r\nY': '' }, { X: '1\r\nY: 1' }].map((headers) => ({ headers }));
    for (const changes of [{ path: '/\r\nX: 1' }, { host: 'a\r\nX: 1' }, ...fields]) {
      assert.match((await probe(target, { ...check({}), ...changes })).cause, /unescaped/);
    }
  });

  it('fails, and does not reject, on a path that cannot be sent', async () => {
    const { passed, cause } = await probe(await answer(200), { ...check({}), path: '/health check' });
    assert.equal(passed, false);
    assert.match(cause, /unescaped/);
  });
});

describe('the expected body', () => {
  it('is found wherever it stands, over the border of two chunks too', async () => {
    const target = await serve((_request, response) => {
      response.write('all is o');
      setImmediate(() => response.end('k, thanks'));
    });
    assert.equal((await probe(target, check({ body: 'is ok,' }))).passed, true);
  });

  it('is named when it is missing', async () => {
    const { passed, cause } = await probe(await answer(200, 'no'), check({ body: 'ok' }));
    assert.deepEqual({ passed, cause }, { passed: false, cause: 'body does not contain "ok": "no"' });
  });

  it('does not excuse a wrong status', async () => {
    assert.equal((await probe(await answer(500, 'ok'), check({ body: 'ok' }))).cause, 'status 500: "ok"');
  });

  it('is not waited for once it was seen, though the body goes on', async () => {
    const target = await serve((_request, response) => void response.write('ok'));
    assert.equal((await probe(target, check({ body: 'ok' }))).passed, true);
  });

  it('is looked for in the first 64 KiB only, and an endless body is cut off there', async () => {
    const fits = await answer(200, `${'x'.repeat(65_534)}ok`);
    assert.equal((await probe(fits, check({ body: 'ok' }))).passed, true);
    const endless = await serve((_request, response) => {
      const write = () => {
        while (!response.destroyed && response.write('x'.repeat(1_000)));
      };
      response.on('drain', write);
      write();
    });
    assert.match((await probe(endless, check({ body: 'ok' }))).cause, /^body does not contain "ok": "xxx/);
  });

  it('is not there in a response that is cut short', async () => {
    const target = await say('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    assert.equal((await probe(target, check({ body: 'ok' }))).cause, 'response cut short');
  });
});

describe('the cause of a failure', () => {
  it('tells how the body begins, though that comes after the head', async () => {
    const target = await serve((_request, response) => {
      response.writeHead(503).flushHeaders();
      setImmediate(() => response.end('database gone\n'));
    });
    assert.equal((await probe(target, check())).cause, 'status 503: "database gone"');
  });

  it('does not wait for a body that does not come', async () => {
    const target = await serve((_request, response) => response.writeHead(503).flushHeaders());
    const { cause, elapsedMs } = await probe(target, check());
    assert.equal(cause, 'status 503');
    assert.ok(elapsedMs < 5_000);
  });

  it('is the status, not the timeout, when the body takes longer than that', async () => {
    const target = await serve((_request, response) => void response.writeHead(503).write('data'));
    assert.equal((await probe(target, check({ timeout: '500ms' }))).cause, 'status 503: "data"');
  });
});

describe('the timeout', () => {
  it('covers the wait for the head and for the body alike', async () => {
    const silent = await serve(() => {});
    const halfHead = await listen(net.createServer((socket) => socket.write('HTTP/1.1 200 OK\r\n')));
    const slowBody = await serve((_request, response) => void response.write('o'));
    for (const target of [silent, halfHead, slowBody]) {
      const { passed, cause } = await probe(target, check({ timeout: '50ms', body: 'ok' }));
      assert.deepEqual({ passed, cause }, { passed: false, cause: 'timeout after 50 ms' });
    }
  });

  it('says so when not even a connection came about', async () => {
    await using deaf = await DeafListener.open();
    const target = { host: '127.0.0.1', port: deaf.port };
    for (const type of ['http', 'https', 'tcp']) {
      assert.equal((await probe(target, check({ type, timeout: '50ms' }))).cause, 'connect timeout after 50 ms', type);
    }
    const plain = await listen(net.createServer(() => {}));
    assert.equal((await probe(plain, check({ type: 'https', timeout: '50ms' }))).cause, 'timeout after 50 ms');
  });

  it('does not blame the instance for an answer that came in time while this thread was busy', async () => {
    // The server answers only when it is told to, and tells when the answer is on its way.
    const steps = new Int32Array(new SharedArrayBuffer(12));
    const [ASKED, GO, ANSWERED] = [0, 1, 2] as const;
    const worker = new Worker(
      `const { parentPort, workerData: steps } = require('node:worker_threads');
       const server = require('node:http').createServer((request, response) => {
         Atomics.store(steps, 0, 1);
         Atomics.wait(steps, 1, 0);
         response.end('ok', () => { Atomics.store(steps, 2, 1); Atomics.notify(steps, 2); });
       });
       server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
      { eval: true, workerData: steps },
    );
    try {
      const [port] = await once(worker, 'message');
      const timeout = 2_000;
      const startedAt = performance.now();
      const probing = probe({ host: '127.0.0.1', port }, check({ timeout: `${timeout}ms` }));
      while (Atomics.load(steps, ASKED) === 0) await new Promise((resolve) => setImmediate(resolve));
      Atomics.store(steps, GO, 1);
      Atomics.notify(steps, GO);
      Atomics.wait(steps, ANSWERED, 0);
      const rest = startedAt + timeout + 20 - performance.now();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, rest);
      assert.equal((await probing).passed, true);
    } finally {
      await worker.terminate();
    }
  });
});

describe('a TCP probe', () => {
  it('passes as soon as it is connected, and closes', async () => {
    const target = await listen(net.createServer());
    const connection = once(target.server, 'connection');
    const { passed, cause } = await probe(target, check({ type: 'tcp' }));
    assert.equal(passed, true);
    assert.match(cause, /^passed \(connected in \d+ ms\)$/);
    const [socket] = await connection;
    socket.resume();
    if (!socket.closed) await once(socket, 'close');
  });

  it('fails when nobody listens', async () => {
    const target = { host: '127.0.0.1', port: await closedPort() };
    assert.equal((await probe(target, check({ type: 'tcp' }))).cause, 'connect ECONNREFUSED');
  });
});

describe('what remains', () => {
  it('is no connection, however the probe ended', async () => {
    const hang = await serve(() => {});
    const open = await serve((_request, response) => void response.write('ok'));
    await probe(open, check());
    await probe(open, check({ body: 'ok' }));
    await probe(open, check({ expect: [204] }));
    await probe(hang, check({ timeout: '30ms' }));
    await probe(open, check({ type: 'tcp' }));
    for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
    assert.equal(sockets.size, 0);
  });

  it('is no listener on the signal', async () => {
    const { signal } = new AbortController();
    await probe(await answer(200), check(), signal);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });
});

describe('an abort', () => {
  it('ends a running probe at once', async () => {
    const target = await serve(() => {});
    const controller = new AbortController();
    const probing = probe(target, check(), controller.signal);
    await once(target.server, 'request');
    controller.abort();
    const { passed, cause } = await probing;
    assert.deepEqual({ passed, cause }, { passed: false, cause: 'aborted' });
  });

  it('that came before keeps the probe from connecting', async () => {
    let connections = 0;
    const target = await answer(200);
    target.server.on('connection', () => (connections += 1));
    assert.equal((await probe(target, check(), AbortSignal.abort())).cause, 'aborted');
    assert.equal((await probe(target, check())).passed, true); // a connection of the first would have arrived before
    assert.equal(connections, 1);
  });
});
