import assert from 'node:assert/strict';
import { it } from 'node:test';
import { describeEngines } from '../support/engines.ts';
import { eventually, onHeads, parseMessage, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

describeEngines('the proxy refuses', (engine) => {
  // Request smuggling: proxy and backend disagree about where a request ends, and the rest of its body becomes the
  // beginning of the next client's request. Nothing of such a request may reach a backend.
  it('every request whose end or head can be read in two ways, before a byte of it reaches a backend', async () => {
    const refused: Readonly<Record<string, readonly [text: string, status: number]>> = {
      'CL.TE': [`${POST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`, 400],
      'TE.CL': [`${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${SMUGGLED}\r\n0\r\n\r\n`, 400],
      'two codings': [`${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n`, 400],
      'a coding unknown': [`${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 501],
      'a coding hidden by a comma': [`${POST}Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`, 501],
      'a coding hidden by a tab': [`${POST}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`, 400],
      'a space before the colon': [`${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`, 400],
      'two lengths': [`${POST}Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello`, 400],
      'a list of lengths': [`${POST}Content-Length: 5, 5\r\n\r\nhello`, 400],
      'a length with a sign': [`${POST}Content-Length: +5\r\n\r\nhello`, 400],
      'a length in hex': [`${POST}Content-Length: 0x5\r\n\r\nhello`, 400],
      'a folded field': [`${GET}X: a\r\n Transfer-Encoding: chunked\r\n\r\n`, 400],
      'a bare CR': [`${GET}X: a\rTransfer-Encoding: chunked\r\n\r\n`, 400],
      'bare LFs': ['GET / HTTP/1.1\nHost: a\n\n', engine === 'wire' ? 400 : 505],
      'a NUL': [`${GET}X: a\x00b\r\n\r\n`, 400],
      'chunks under HTTP/1.0': ['POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
      'two hosts': [`${GET}Host: b\r\n\r\n`, 400],
      'no host': ['GET / HTTP/1.1\r\n\r\n', 400],
      'a host with a path': ['GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n', 400],
      'a list of hosts': ['GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', 400],
      'a target of another host': ['GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
      'a target that is no URL': ['GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
      'a fragment': ['GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
      'a control character in the target': ['GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n', 400],
      'HTTP/0.9': ['GET /a\r\nHost: a\r\n\r\n', 505],
      'HTTP/2.0': ['GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
      'a method that is no token': ['GE{T / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
      'TLS on a plain port': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
      CONNECT: ['CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 501],
    };
    await using pair = await ProxySite.withRaw((connection) => onHeads(connection, () => connection.write(OK)));
    for (const [name, [text, status]] of Object.entries(refused)) {
      const client = await pair.site.client(text);
      await client.receives('\r\n\r\n');
      await eventually(`${name} is over`, () => client.ended || client.closed);
      const answer = parseMessage(client.received);
      assert.equal(answer.status, status, `${name}: ${client.received}`);
      assert.deepEqual(answer.all('connection'), ['close'], name);
      assert.equal(client.received.match(/^HTTP\/1\.1 /gm)?.length, 1, `${name} was answered twice`);
      client.close();
    }
    assert.deepEqual(pair.backend.connections.map(({ received }) => received).join(''), '');
  });

  // A chunk that is not framed as announced: the backend must see the request break off, never end.
  it('broken chunks in the middle of a body, so that no backend takes it for whole', async () => {
    const broken = [
      '5\r\nhelloX\r\n0\r\n\r\n',
      'zz\r\nhello\r\n',
      '5;\nx\r\nhello\r\n',
      '-1\r\n',
      'ffffffffffffffffff\r\n',
    ];
    for (const chunks of broken) {
      await using pair = await ProxySite.withRaw(() => {});
      const client = await pair.site.client(
        requestText('POST /', ['Transfer-Encoding: chunked'], `2\r\nok\r\n${chunks}`),
      );
      await eventually('the client is refused', () => client.ended || client.closed);
      assert.doesNotMatch(client.received, /^HTTP\/1\.1 2/);
      await pair.site.idle();
      for (const connection of pair.backend.connections) {
        await eventually('the backend hears of it', () => connection.ended || connection.closed);
        assert.doesNotMatch(connection.received, /\r\n0\r\n/, chunks);
      }
    }
  });

  it('heads, targets and bodies that are too large', async () => {
    await using site = await ProxySite.withBackends(1, { limits: { body: 1_000 } });
    const statusOf = async (text: string) => {
      const client = await site.client(text);
      const { status } = parseMessage(await client.receives('\r\n\r\n'));
      client.close();
      return status;
    };
    assert.equal(await statusOf(requestText(`GET /${'x'.repeat(9_000)}`)), 414);
    assert.equal(await statusOf(requestText('GET /', [`X: ${'x'.repeat(17_000)}`])), 431);
    assert.equal(await statusOf(requestText('GET /', [`X: ${'x'.repeat(300_000)}`])), 431);
    const fields = Array.from({ length: 120 }, (_, i) => `X-${i}: v`);
    assert.equal(await statusOf(requestText('GET /', fields)), 431);
    assert.equal(await statusOf(requestText('POST /upload', ['Content-Length: 1001'], 'x'.repeat(1_001))), 413);
    const chunk = `1f4\r\n${'x'.repeat(500)}\r\n`;
    assert.equal(await statusOf(requestText('POST /upload', ['Transfer-Encoding: chunked'], chunk.repeat(3))), 413);
    assert.equal(
      await statusOf(requestText('POST /upload', ['Transfer-Encoding: chunked'], `${chunk.repeat(2)}0\r\n\r\n`)),
      200,
    );
  });

  // A connection that is closed while bytes arrive is reset, and a client that is still writing loses what it has not read.
  it('a large upload so that the client can read why, though it is still sending', async () => {
    await using site = await ProxySite.withBackends(1, { limits: { body: 1_000 } });
    const bodies = [
      { field: 'Content-Length: 6000000', block: 'x'.repeat(60_000), end: '' },
      { field: 'Transfer-Encoding: chunked', block: `ea60\r\n${'x'.repeat(60_000)}\r\n`, end: '0\r\n\r\n' },
    ];
    for (const { field, block, end } of bodies) {
      const client = await site.client(requestText('POST /upload', [field]));
      client.socket.pause();
      for (let i = 0; i < 100; i += 1) client.write(block);
      client.write(end);
      await eventually('all is sent', () => client.socket.writableLength === 0 || client.closed);
      client.socket.resume();
      assert.equal(parseMessage(await client.rest()).status, 413, field);
      assert.equal(client.error, null);
    }
  });

  // The answer to what cannot be read must not pass for the answer to what was read before it.
  it('nonsense behind a request that still runs, without a word before that one is answered', async () => {
    await using site = await ProxySite.withBackends(1);
    const running = requestText(engine === 'wire' ? 'GET /slow?ms=50' : 'GET /hang', ['Connection: keep-alive']);
    const pipelining = await site.client(`${running}nonsense\r\n\r\n`);
    const answers = (await pipelining.rest()).match(/^HTTP\/1\.1 \d+/gm);
    assert.deepEqual(answers, engine === 'wire' ? ['HTTP/1.1 200', 'HTTP/1.1 400'] : null);
    const begun = await site.client(requestText('POST /echo', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n'));
    await begun.receives('hello');
    begun.write('nonsense\r\n');
    assert.match(await begun.rest(), /5\r\nhello\r\n$/);
    await site.idle();
  });

  it('slow heads and silent bodies with 408', async () => {
    await using site = await ProxySite.withBackends(1, { timeouts: { requestHead: 300, bodyIdle: 300 } });
    const head = await site.client('GET / HTTP/1.1\r\nHost:');
    assert.equal(parseMessage(await head.rest()).status, 408);
    const body = await site.client(requestText('POST /upload', ['Content-Length: 10'], 'hello'));
    assert.equal(parseMessage(await body.rest()).status, 408);
    await site.idle();
    assert.deepEqual(
      (await site.record(1)).attempts.map(({ outcome }) => outcome),
      ['client-closed'],
    );
  });

  it('in JSON for whoever asks for it, and in text otherwise, under the id of the log', async () => {
    await using site = await ProxySite.open([]);
    const text = parseMessage(await site.exchange(requestText('GET /')));
    assert.deepEqual([text.status, text.all('content-type')], [503, ['text/plain; charset=utf-8']]);
    const json = parseMessage(await site.exchange(requestText('GET /', ['Accept: application/json'])));
    assert.deepEqual(json.all('content-type'), ['application/problem+json']);
    assert.equal(JSON.parse(json.body).status, 503);
    const bad = parseMessage(await site.exchange(requestText('GET /', ['Host: b', 'Accept: application/json'])));
    assert.match(JSON.parse(bad.body).detail, /more than one Host/);
    const { id, status, service } = await site.record(2);
    assert.deepEqual([bad.all('x-request-id'), status, service], [[id], 400, null]);
  });

  it('hosts and paths that no service is configured for, with 404', async () => {
    await using site = await ProxySite.withBackends(1, {
      service: { routes: [{ host: 'example.com', path: '/app' }] },
    });
    const statusOf = async (text: string) => parseMessage(await site.exchange(text)).status;
    assert.equal(await statusOf(requestText('GET /app/x')), 200);
    assert.equal(await statusOf(requestText('GET /other')), 404);
    assert.equal(await statusOf('GET /app HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n'), 404);
    assert.equal((await site.record(1)).status, 404);
  });

  it('a client that vanishes after CONNECT or a broken request, without harm to itself', async () => {
    await using site = await ProxySite.withBackends(1);
    for (const text of ['CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 'nonsense\r\n\r\n', GET]) {
      for (let i = 0; i < 5; i += 1) {
        const client = await site.client(text);
        client.reset();
      }
    }
    assert.equal(parseMessage(await site.exchange(requestText('GET /'))).status, 200);
  });
});
