import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { COMPILE_CACHE } from '../support/e2e-process.ts';

const MAIN = new URL('../../cmd/test-server/main.ts', import.meta.url).pathname;
const IdentitySchema = z.strictObject({
  server: z.string(),
  pid: z.int(),
  port: z.int(),
  version: z.string(),
  path: z.string(),
  requests: z.int(),
});
const SeenSchema = z.strictObject({
  method: z.string(),
  target: z.string(),
  httpVersion: z.string(),
  rawHeaders: z.array(z.string()),
  remoteAddress: z.string(),
});
const children = new Set<ChildProcess>();

interface Backend {
  readonly child: ChildProcess;
  readonly url: string;
  readonly line: string;
}

/** The environment of the tests themselves must not reach the backend. */
function run(env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function start(env: Record<string, string> = {}): Promise<Backend> {
  const child = run({ PORT: '0', ...env });
  const [line] = await once(createInterface({ input: child.stdout! }), 'line');
  const url = /http:\S+/.exec(line)?.[0];
  assert.ok(url, `no address in: ${line}`);
  return { child, url, line };
}

/** How a process ended, and what it said on standard error. */
async function ending(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  let stderr = '';
  child.stderr?.on('data', (chunk) => (stderr += chunk));
  const [code] = await once(child, 'close');
  return { code, stderr };
}

const json = async (url: string, init?: RequestInit): Promise<unknown> => (await fetch(url, init)).json();
const identity = async (url: string) => IdentitySchema.parse(await json(url));

const answers = (url: string) =>
  fetch(url).then(
    (response) => response.ok,
    () => false,
  );

/** A request over a connection of its own, for what `fetch` hides. */
async function get(url: string, options: http.RequestOptions = {}) {
  const request = http.get(url, { agent: false, ...options });
  const hints: http.InformationEvent[] = [];
  request.on('information', (info) => hints.push(info));
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { request, response, hints };
}

after(async () => {
  for (const child of children) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

describe('a sample backend', { timeout: 60_000 }, () => {
  let url: string;
  let backend: Backend;

  before(async () => {
    backend = await start({ SERVER_NAME: 'alpha', VERSION: '1.2.3' });
    url = backend.url;
  });

  it('says in one line where it listens', () => {
    assert.equal(backend.line, `sample backend alpha listens on ${url} (pid ${backend.child.pid})`);
  });

  it('says who it is on every path that it does not know', async () => {
    const response = await fetch(`${url}/any/path?x=1`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('x-server'), 'alpha');
    const { requests, ...rest } = IdentitySchema.parse(await response.json());
    const port = Number(new URL(url).port);
    assert.ok(requests > 0);
    assert.deepEqual(rest, { server: 'alpha', pid: backend.child.pid, port, version: '1.2.3', path: '/any/path' });
  });

  it('counts requests, health checks left out', async () => {
    const { requests } = await identity(url);
    await json(`${url}/health`);
    assert.equal((await identity(url)).requests, requests + 1);
  });

  it('tells its version and what else it can do', async () => {
    assert.deepEqual(await json(`${url}/version`), { version: '1.2.3' });
    assert.match(await (await fetch(`${url}/help`)).text(), /\/switch\?health=down/);
  });

  it('turns its health down and up, and delays its answers', async () => {
    const health = async () => (await fetch(`${url}/health`)).status;
    assert.equal(await health(), 200);
    await fetch(`${url}/switch?health=down`);
    assert.equal(await health(), 503);
    assert.deepEqual(await json(`${url}/switch?health=up&delay=60`), { health: 'up', delay: 60 });
    const startedAt = performance.now();
    assert.equal(await health(), 200);
    assert.ok(performance.now() - startedAt >= 59);
    await fetch(`${url}/switch?delay=0`);
  });

  it('answers late or with the status that was asked for', async () => {
    const startedAt = performance.now();
    assert.equal((await fetch(`${url}/slow?ms=50`)).status, 200);
    assert.ok(performance.now() - startedAt >= 49);
    assert.equal((await fetch(`${url}/fail`)).status, 500);
    assert.equal((await fetch(`${url}/fail?status=429`)).status, 429);
  });

  it('refuses a query that it does not understand', async () => {
    for (const target of [
      '/slow?ms=soon',
      '/fail?status=99',
      '/switch?health=maybe',
      '/download?bytes=-1',
      '/exit?code=256',
    ]) {
      const response = await fetch(url + target);
      assert.equal(response.status, 400, target);
      assert.match(await response.text(), /expected/);
    }
  });

  it('echoes a body as it comes in, before its end', async () => {
    const request = http.request(`${url}/echo`, { method: 'PUT', agent: false, headers: { 'Content-Type': 'text/x' } });
    request.write('first');
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    assert.equal(response.headers['content-type'], 'text/x');
    const chunks = response[Symbol.asyncIterator]();
    assert.equal(String((await chunks.next()).value), 'first');
    request.end('second');
    assert.equal(String((await chunks.next()).value), 'second');
    assert.equal((await chunks.next()).done, true);
  });

  it('counts and hashes an upload', async () => {
    const body = Buffer.alloc(3_000_000, 'heimdall');
    const sha256 = createHash('sha256').update(body).digest('hex');
    assert.deepEqual(await json(`${url}/upload`, { method: 'POST', body }), { bytes: body.length, sha256 });
  });

  it('sends exactly as many bytes as were asked for', async () => {
    for (const bytes of [0, 1, 65_536, 1_000_001]) {
      const response = await fetch(`${url}/download?bytes=${bytes}`);
      assert.equal(response.headers.get('content-length'), String(bytes));
      assert.equal((await response.arrayBuffer()).byteLength, bytes);
    }
    const head = await fetch(`${url}/download?bytes=${10 ** 12}`, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), String(10 ** 12));
  });

  it('streams chunks and server-sent events', async () => {
    assert.equal(await (await fetch(`${url}/stream?count=3&every=1`)).text(), 'chunk 0\nchunk 1\nchunk 2\n');
    const events = await fetch(`${url}/events?count=2&every=1`);
    assert.equal(events.headers.get('content-type'), 'text/event-stream');
    assert.equal(
      await events.text(),
      'id: 0\ndata: {"server":"alpha","index":0}\n\nid: 1\ndata: {"server":"alpha","index":1}\n\n',
    );
  });

  it('shows a request as it arrived', async () => {
    const request = http.request(`${url}/headers?a=%2F`, { method: 'PATCH', agent: false });
    request.setHeader('X-Twice', ['one', 'two']);
    request.end();
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const seen = SeenSchema.parse(JSON.parse(String(await once(response, 'data'))));
    assert.equal(seen.method, 'PATCH');
    assert.equal(seen.target, '/headers?a=%2F');
    assert.equal(seen.httpVersion, '1.1');
    assert.equal(seen.remoteAddress, '127.0.0.1');
    assert.match(seen.rawHeaders.join('|'), /X-Twice\|one\|X-Twice\|two/);
  });

  it('cuts a response short', async () => {
    const { response } = await get(`${url}/truncate`);
    assert.equal(response.headers['content-length'], '1000');
    let bytes = 0;
    response.on('data', (chunk) => (bytes += chunk.length));
    await assert.rejects(once(response, 'end'), { code: 'ECONNRESET' });
    assert.equal(bytes, 500);
  });

  it('never answers when asked to hang', async () => {
    const request = http.get(`${url}/hang`, { agent: false, timeout: 50 });
    request.on('response', () => assert.fail('answered'));
    await once(request, 'timeout');
    request.on('error', () => {});
    request.destroy();
  });

  it('sends early hints and trailers', async () => {
    const { response, hints } = await get(`${url}/early-hints`);
    response.resume();
    assert.deepEqual([hints[0]?.statusCode, response.statusCode], [103, 200]);
    const { response: trailing } = await get(`${url}/trailers`);
    await once(trailing.resume(), 'end');
    assert.deepEqual(trailing.trailers, { 'x-checksum': 'abc123' });
  });
});

describe('its WebSocket', { timeout: 60_000 }, () => {
  let backend: Backend;
  before(async () => {
    backend = await start({ SERVER_NAME: 'alpha' });
  });

  async function open(): Promise<{ socket: WebSocket; next: () => Promise<string | Buffer> }> {
    const socket = new WebSocket(`${backend.url.replace('http', 'ws')}/ws`, { perMessageDeflate: false });
    const received: (string | Buffer)[] = [];
    const waiting: ((message: string | Buffer) => void)[] = [];
    socket.on('message', (data: Buffer, binary) => {
      const message = binary ? data : data.toString();
      const waiter = waiting.shift();
      if (waiter) waiter(message);
      else received.push(message);
    });
    await once(socket, 'open');
    const next = async () =>
      received.shift() ?? (await new Promise<string | Buffer>((resolve) => waiting.push(resolve)));
    return { socket, next };
  }

  it('greets with its name, echoes text and binary messages of all lengths, and closes', async () => {
    const { socket, next } = await open();
    assert.equal(await next(), 'alpha');
    for (const size of [0, 5, 125, 126, 65_535, 65_536]) {
      const words = 'é'.repeat(size / 2);
      socket.send(words);
      assert.equal(await next(), words);
      const bytes = Buffer.alloc(size, 7);
      socket.send(bytes);
      assert.deepEqual(await next(), bytes);
    }
    socket.close(1000, 'done');
    const [code, reason] = await once(socket, 'close');
    assert.deepEqual([code, String(reason)], [1000, 'done']);
  });

  it('echoes many messages in order, a fragmented one too', async () => {
    const { socket, next } = await open();
    await next();
    for (let index = 0; index < 200; index++) socket.send(`message ${index}`);
    for (let index = 0; index < 200; index++) assert.equal(await next(), `message ${index}`);
    socket.send('one ', { fin: false });
    socket.send('two', { fin: true });
    assert.equal(await next(), 'one two');
    socket.terminate();
  });

  it('answers pings', async () => {
    const { socket } = await open();
    socket.ping('beat');
    const [payload] = await once(socket, 'pong');
    assert.equal(String(payload), 'beat');
    socket.terminate();
  });

  it('closes on a frame that is too big', async () => {
    const { socket } = await open();
    socket.send(Buffer.alloc(65_537));
    const [code] = await once(socket, 'close');
    assert.equal(code, 1009);
  });

  it('ignores an upgrade elsewhere', async () => {
    const { response } = await get(`${backend.url}/other`, { headers: { Connection: 'Upgrade', Upgrade: 'h2c' } });
    response.resume();
    assert.equal(response.statusCode, 200);
  });
});

describe('its end', { timeout: 60_000 }, () => {
  it('answers what is in flight, closes the connections, and exits with 0', async () => {
    const { child, url } = await start();
    const agent = new http.Agent({ keepAlive: true });
    const idle = await get(url, { agent });
    await once(idle.response.resume(), 'end');
    const upload = http.request(`${url}/upload`, { method: 'POST', agent });
    upload.write('half, ');
    const uploaded = once(upload, 'response');
    const echo = http.request(`${url}/echo`, { method: 'POST', agent });
    echo.write('half, ');
    const [echoed] = (await once(echo, 'response')) as [http.IncomingMessage];
    const events = await fetch(`${url}/events`);
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
    await once(socket, 'open');

    const ended = ending(child);
    const away = once(socket, 'close');
    child.kill('SIGTERM');
    assert.equal((await away)[0], 1001); // the signal has been seen
    await assert.rejects(get(url), { code: 'ECONNREFUSED' });
    upload.end('whole');
    echo.end('whole');
    const [response] = (await uploaded) as [http.IncomingMessage];
    assert.deepEqual([response.statusCode, response.headers.connection], [200, 'close']);
    assert.match(String(await once(response, 'data')), /"bytes":11,/);
    assert.equal(Buffer.concat(await echoed.toArray()).toString(), 'half, whole');
    assert.match(await events.text(), /^id: 0\n/);
    assert.equal((await ended).code, 0);
    agent.destroy();
  });

  it('comes at once with the second signal', async () => {
    const { child, url } = await start();
    const hanging = http.get(`${url}/hang`, { agent: false });
    const dropped = once(hanging, 'response').catch((error) => error.code);
    for (let own = 1; (await identity(url)).requests === own; own++); // until the hanging request has arrived
    const ended = ending(child);
    child.kill('SIGTERM');
    // Refused connections show that the first signal has been seen.
    while (await answers(url));
    child.kill('SIGTERM');
    assert.equal((await ended).code, 1);
    assert.equal(await dropped, 'ECONNRESET');
  });

  it('is a crash, or an exit with the code that was asked for', async () => {
    for (const [target, code] of [
      ['/crash', 1],
      ['/exit?code=7', 7],
    ] as const) {
      const { child, url } = await start();
      const ended = ending(child);
      await assert.rejects(fetch(url + target));
      assert.equal((await ended).code, code);
    }
  });

  it('is a crash some time after its start', async () => {
    const child = run({ PORT: '0', CRASH_AFTER: '20' });
    const ended = ending(child);
    const output = text(child.stdout!);
    assert.deepEqual(await ended, { code: 1, stderr: '' });
    assert.match(await output, /listens on/);
  });
});

describe('its start', { timeout: 60_000 }, () => {
  it('needs a port', async () => {
    const { code, stderr } = await ending(run({}));
    assert.equal(code, 1);
    assert.match(stderr, /PORT is not set/);
    assert.match(
      (await ending(run({ PORT: 'http' }))).stderr,
      /PORT is "http": expected a whole number from 0 to 65535/,
    );
  });

  it('fails when asked to, and when its port is taken', async () => {
    const failed = await ending(run({ PORT: '0', FAIL_START: '1' }));
    assert.deepEqual([failed.code, failed.stderr], [1, 'sample backend cannot start: asked to by FAIL_START\n']);
    const { url } = await start();
    const taken = await ending(run({ PORT: new URL(url).port }));
    assert.equal(taken.code, 1);
    assert.match(taken.stderr, /EADDRINUSE/);
  });

  it('is named after its instance, or else after its port, and may listen elsewhere', async () => {
    const named = await start({ HEIMDALL_INSTANCE: 'web-1' });
    assert.equal((await identity(named.url)).server, 'web-1');
    const elsewhere = await start({ PORT: '1', LISTEN_ON: '0' });
    const { port } = new URL(elsewhere.url);
    assert.notEqual(port, '1');
    assert.equal((await identity(elsewhere.url)).server, `server-${port}`);
  });

  it('can take its time', async () => {
    const startedAt = performance.now();
    await start({ START_DELAY: '1500' });
    assert.ok(performance.now() - startedAt >= 1_500);
  });
});
