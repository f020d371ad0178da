import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { request as send } from '../../pkg/sockets/http.ts';
import { describeEngines } from '../support/engines.ts';
import { eventually, parseMessage, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

const MIB = 1024 * 1024;
/** Far more than the kernel and the streams have room for. */
const LARGE = 64 * MIB;
const STREAMED = 32 * MIB;
const BLOCK = Buffer.alloc(64 * 1024, 'upload ');
/** A quarter of what is transferred, and well above what is on the way at any moment. */
const MEMORY_BOUND = 8 * MIB;
const SAMPLE_EVERY = 8 * MIB;

/** What client, proxy and backend, which share this process, hold in memory at their highest, garbage left out. */
class MemoryWatch {
  readonly #collect = collector();
  readonly #start = this.#held();
  #seen = 0;
  #samples = 0;
  #peak = 0;

  passed(bytes: number): void {
    this.#seen += bytes;
    if (this.#seen < SAMPLE_EVERY) return;
    this.#seen = 0;
    this.#samples += 1;
    this.#peak = Math.max(this.#peak, this.#held() - this.#start);
  }

  check(): void {
    assert.ok(this.#samples > 0, 'nothing was measured');
    assert.ok(this.#peak < MEMORY_BOUND, `memory grew by ${this.#peak / MIB} MiB`);
  }

  #held(): number {
    this.#collect();
    this.#collect(); // buffers that the first one has found are given back before the second one
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  }
}

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

async function download(url: string, onData: (chunk: Buffer) => void): Promise<void> {
  const [response] = (await once(send(url, { agent: false }).end(), 'response')) as [IncomingMessage];
  response.on('data', onData);
  await once(response, 'end');
}

/** The request as a raw backend got it: answers once `complete` says that all is there. */
async function framed(text: string, complete: RegExp): Promise<ReturnType<typeof parseMessage>> {
  await using pair = await ProxySite.withRaw((connection) => {
    connection.socket.on('data', () => {
      if (complete.test(connection.received)) connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
  });
  assert.equal(parseMessage(await pair.site.exchange(text)).status, 200);
  assert.equal(pair.backend.connections.length, 1);
  return parseMessage(pair.backend.connections[0]?.received ?? '');
}

describeEngines('bodies through the proxy', () => {
  it('that take longer than every timeout, because they come steadily', async () => {
    await using site = await ProxySite.withBackends(1, {
      timeouts: { streamIdle: 500, responseHead: 500, bodyIdle: 500 },
    });
    const pieces = 15;
    const client = await site.client(requestText('POST /echo', [`Content-Length: ${pieces}`]));
    for (let n = 0; n < pieces; n += 1) {
      client.write('x');
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
    const answer = parseMessage(await client.rest());
    assert.deepEqual([answer.status, answer.body.includes('x')], [200, true]);
  });

  it('stream down in constant memory', async () => {
    await using site = await ProxySite.withBackends(1);
    const memory = new MemoryWatch();
    let bytes = 0;
    await download(`${site.url}/download?bytes=${STREAMED}`, (chunk) => {
      bytes += chunk.length;
      memory.passed(chunk.length);
    });
    assert.equal(bytes, STREAMED);
    memory.check();
  });

  it('stream up in constant memory, byte for byte', async () => {
    await using site = await ProxySite.withBackends(1);
    const memory = new MemoryWatch();
    const upload = send(`${site.url}/upload`, { method: 'POST', agent: false });
    const answered = once(upload, 'response');
    const hash = createHash('sha256');
    for (let bytes = 0; bytes < STREAMED; bytes += BLOCK.length) {
      hash.update(BLOCK);
      if (!upload.write(BLOCK)) await once(upload, 'drain');
      memory.passed(BLOCK.length);
    }
    upload.end();
    const [response] = (await answered) as [IncomingMessage];
    const answer = JSON.parse(String(Buffer.concat(await response.toArray())));
    assert.deepEqual(answer, { bytes: STREAMED, sha256: hash.digest('hex') });
    memory.check();
  });

  it('come no faster than the client reads', async () => {
    let sent = 0;
    await using pair = await ProxySite.withRaw(({ socket }) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
        const pour = () => {
          while (sent < LARGE) {
            sent += BLOCK.length;
            if (!socket.write(BLOCK)) return;
          }
        };
        socket.on('drain', pour);
        pour();
      });
    });
    const client = await pair.site.client(requestText('GET /'));
    await client.receives('\r\n\r\n');
    client.socket.pause();
    let before = -1;
    let still = 0;
    await eventually('the backend is held back', () => {
      still = sent === before ? still + 1 : 0;
      before = sent;
      return still > 50;
    });
    assert.ok(sent < LARGE / 2, `${sent / MIB} MiB were read ahead`);
    client.socket.resume();
    await eventually('more follows', () => sent > before + MIB);
    client.close();
  });

  it('go no faster than the backend reads', async () => {
    await using pair = await ProxySite.withRaw(({ socket }) => socket.pause());
    const upload = send(`${pair.site.url}/`, { method: 'POST', agent: false, headers: { 'Content-Length': LARGE } });
    upload.on('error', () => {});
    let sent = 0;
    const pour = () => {
      while (sent < LARGE) {
        sent += BLOCK.length;
        if (!upload.write(BLOCK)) return;
      }
    };
    upload.on('drain', pour);
    pour();
    let before = -1;
    let still = 0;
    await eventually('the client is held back', () => {
      still = sent === before ? still + 1 : 0;
      before = sent;
      return still > 50;
    });
    assert.ok(sent < LARGE / 2, `${sent / MIB} MiB were read ahead`);
    upload.destroy();
    pair.backend.connections[0]?.close(); // or the client's end would stay behind what nobody reads
  });

  it('flow both ways at once', async () => {
    await using site = await ProxySite.withBackends(1);
    const client = await site.client(requestText('POST /echo', ['Transfer-Encoding: chunked']));
    for (const word of ['one', 'two', 'six']) {
      client.write(`3\r\n${word}\r\n`);
      await client.receives(word);
    }
    client.write('0\r\n\r\n');
    assert.match(await client.rest(), /\r\n0\r\n\r\n$/);
  });

  it('carry events as they come, the head before the first', async () => {
    await using site = await ProxySite.withBackends(1);
    const quiet = await site.client(requestText('GET /events?every=100000'));
    await quiet.receives('text/event-stream');
    await quiet.receives('"index":0');
    const stream = await site.client(requestText('GET /stream?count=1&every=100000'));
    await stream.receives('\r\n\r\n');
    quiet.close();
    stream.close();
  });

  it('are announced to the backend before their first byte, for which the client may wait', async () => {
    await using pair = await ProxySite.withRaw((connection) => {
      connection.socket.once('data', () => connection.write('HTTP/1.1 103 Early Hints\r\nLink: </go>\r\n\r\n'));
      connection.socket.on('data', () => {
        if (connection.received.endsWith('hello')) connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
    });
    const client = await pair.site.client(requestText('POST /', ['Content-Length: 5']));
    await client.receives('103 Early Hints');
    client.write('hello');
    assert.match(await client.rest(), /HTTP\/1\.1 200 OK/);
  });

  it('keep their framing toward the backend, whatever the method', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'GET', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const chunks = '3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n';
      const text = requestText(`${method} /`, ['Transfer-Encoding: chunked'], chunks);
      const chunked = await framed(text, /\r\n0\r\n\r\n$/);
      assert.deepEqual([chunked.all('transfer-encoding'), chunked.all('content-length')], [['chunked'], []], method);
      assert.match(chunked.body, /^(3\r\nabc\r\n2(;ext=1)?\r\nde|5\r\nabcde)\r\n0\r\n\r\n$/, method);
      const sized = await framed(requestText(`${method} /`, ['Content-Length: 5'], 'abcde'), /abcde$/);
      assert.deepEqual([sized.all('transfer-encoding'), sized.all('content-length')], [[], ['5']], method);
      const none = await framed(requestText(`${method} /`), /\r\n\r\n$/);
      assert.deepEqual([none.all('transfer-encoding'), none.body], [[], ''], method);
      assert.ok(
        none.all('content-length').every((length) => length === '0'),
        method,
      );
    }
  });

  it('of no length are bodies too', async () => {
    const complete = /\r\n0\r\n\r\n$|Content-Length: 0\r\n(.+\r\n)*\r\n$/;
    const empty = await framed(requestText('POST /', ['Transfer-Encoding: chunked'], '0\r\n\r\n'), complete);
    const framing = [...empty.all('transfer-encoding'), ...empty.all('content-length')];
    assert.equal(framing.length, 1, framing.join(' '));
    const zero = await framed(requestText('GET /', ['Content-Length: 0']), /\r\n\r\n$/);
    assert.deepEqual(zero.all('content-length'), ['0']);
  });

  it('keep the connection in step, whatever was asked before', async () => {
    await using site = await ProxySite.withBackends(1);
    const keep = 'Connection: keep-alive';
    const client = await site.client();
    const exchanges: readonly [text: string, body: RegExp][] = [
      [
        requestText('POST /echo', ['Transfer-Encoding: chunked', keep], '3\r\none\r\n0\r\n\r\n'),
        /3\r\none\r\n0\r\n\r\n$/,
      ],
      [
        requestText('DELETE /echo', ['Transfer-Encoding: chunked', keep], '3\r\ntwo\r\n0\r\n\r\n'),
        /3\r\ntwo\r\n0\r\n\r\n$/,
      ],
      [requestText('GET /echo', ['Content-Length: 5', keep], 'three'), /three$/],
      [requestText('POST /slow?ms=1', ['Content-Length: 4', keep], 'GET '), /"\/slow"[^}]+}\n$/],
      [requestText('GET /last', [keep]), /"\/last"[^}]+}\n$/],
    ];
    for (const [text, body] of exchanges) {
      client.write(text);
      await client.receives(body);
    }
    assert.equal(client.received.match(/HTTP\/1\.1 200/g)?.length, exchanges.length);
  });

  it('that the backend does not wait for end the connection, and the client can read the answer', async () => {
    const early = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nnope';
    await using pair = await ProxySite.withRaw((connection) => {
      connection.socket.once('data', () => connection.write(early));
    });
    const keep = ['Connection: keep-alive', 'Content-Length: 3000000'];
    const client = await pair.site.client(requestText('POST /', keep, 'x'));
    assert.match(await client.receives('nope'), /HTTP\/1\.1 401 Unauthorized\r\n/);
    for (let i = 0; i < 50; i += 1) client.write('x'.repeat(10_000));
    assert.deepEqual(parseMessage(await client.rest()).all('connection'), ['close']);
    assert.equal(client.error, null);
    await pair.site.idle();
  });
});
