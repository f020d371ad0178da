import assert from 'node:assert/strict';
import { it } from 'node:test';
import { z } from 'zod';
import { describeEngines } from '../support/engines.ts';
import { onHeads, type ParsedMessage, parseMessage, requestText } from '../support/proxy-raw.ts';
import { ProxySite, relayed, type SiteOptions } from '../support/proxy-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const SeenSchema = z.object({ method: z.string(), target: z.string(), rawHeaders: z.array(z.string()) });

/** The request as it reached a backend. */
async function forwarded(text: string, options: SiteOptions = {}): Promise<ParsedMessage> {
  await using pair = await ProxySite.withRaw((connection) => onHeads(connection, () => connection.write(OK)), options);
  const answer = await pair.site.exchange(text);
  assert.equal(parseMessage(answer).status, 200, answer);
  return parseMessage(pair.backend.connections[0]?.received ?? '');
}

describeEngines('the proxy forwards requests', (engine) => {
  it('with target, method and fields as they came, in order and with repetitions', async () => {
    await using site = await ProxySite.withBackends(1);
    const target = '/headers/../headers?a=%2F&b=%zz&c=//x';
    const fields = ['X-Dup: 1', 'Cookie: a=1', 'x-dup: 2', '__proto__: polluted', 'constructor: c', '123: n', 'X-E: é'];
    const { status } = parseMessage(await site.exchange(requestText(`GET ${target}`, fields)));
    assert.equal(status, 200);
    const direct = parseMessage(await site.exchange(requestText('GET /headers?x', fields)));
    const seen = SeenSchema.parse(JSON.parse(direct.body));
    assert.equal(seen.target, '/headers?x');
    const pairs = seen.rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${seen.rawHeaders[i + 1]}`] : []));
    for (const field of ['X-Dup: 1', 'X-Dup: 2', '__proto__: polluted', 'constructor: c', '123: n', 'Cookie: a=1']) {
      assert.ok(
        pairs.some((pair) => pair.toLowerCase() === field.toLowerCase()),
        `${field} is missing in ${pairs.join(' | ')}`,
      );
    }
    const lower = pairs.map((pair) => pair.toLowerCase());
    assert.ok(lower.indexOf('x-dup: 1') < lower.indexOf('x-dup: 2'));
    assert.equal('polluted' in {}, false);
  });

  it('with every byte of an odd target', async () => {
    for (const target of [
      '//[',
      '/a/../b',
      '/%00%2e?x=%zz',
      '/?a?b',
      '/"<>\\^`{}|',
      `/${'x'.repeat(8_000)}`,
      '/;@:&=+$,',
    ]) {
      const { startLine } = await forwarded(requestText(`GET ${target}`));
      assert.equal(startLine, `GET ${target} HTTP/1.1`);
    }
  });

  it('without hop-by-hop fields and those that Connection names', async () => {
    const fields = ['Connection: close, X-Secret, te', 'X-Secret: s', 'Keep-Alive: timeout=9', 'TE: gzip, trailers'];
    const more = ['Proxy-Authorization: Basic x', 'Proxy-Connection: keep-alive', 'Upgrade: h2c', 'HTTP2-Settings: x'];
    const seen = await forwarded(requestText('GET /', [...fields, ...more]));
    for (const name of ['x-secret', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'upgrade']) {
      assert.deepEqual(seen.all(name), [], name);
    }
    assert.deepEqual(seen.all('te'), ['trailers']);
    assert.deepEqual(seen.all('connection'), engine === 'wire' ? [] : ['keep-alive']);
  });

  it('with X-Forwarded-* and Via of its own, whatever a stranger claims', async () => {
    const lies = [
      'X-Forwarded-For: 6.6.6.6',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil',
      'Forwarded: for=6.6.6.6',
    ];
    const seen = await forwarded(requestText('GET /', lies));
    assert.deepEqual(seen.all('x-forwarded-for'), ['127.0.0.1']);
    assert.deepEqual(seen.all('x-forwarded-proto'), ['http']);
    assert.deepEqual(seen.all('x-forwarded-host'), ['example.com']);
    assert.match(seen.all('x-forwarded-port')[0] ?? '', /^\d+$/);
    assert.deepEqual(seen.all('forwarded'), []);
    assert.deepEqual(seen.all('via'), ['1.1 heimdall']);
    assert.deepEqual(seen.all('host'), ['example.com']);
  });

  it('with what a trusted proxy says, and its address at the end', async () => {
    const said = ['X-Forwarded-For: 203.0.113.9', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: www.example.com'];
    const seen = await forwarded(requestText('GET /', [...said, 'Via: 1.1 edge']), { trustedProxies: ['127.0.0.0/8'] });
    assert.deepEqual(seen.all('x-forwarded-for'), ['203.0.113.9, 127.0.0.1']);
    assert.deepEqual(seen.all('x-forwarded-proto'), ['https']);
    assert.deepEqual(seen.all('x-forwarded-host'), ['www.example.com']);
    assert.deepEqual(seen.all('via'), ['1.1 edge', '1.1 heimdall']);
  });

  it('under one id, the client’s where it is harmless, which the response and the log carry too', async () => {
    await using pair = await ProxySite.withRaw((connection) => onHeads(connection, () => connection.write(OK)));
    for (const [index, given] of [
      'X-Request-Id: abc-1',
      'X-Request-Id: a b',
      'X-Request-Id: a\r\nX-Request-Id: b',
      'X: y',
    ].entries()) {
      const answer = parseMessage(await pair.site.exchange(requestText('GET /', [given])));
      const [id = '', ...others] = answer.all('x-request-id');
      assert.deepEqual(others, []);
      assert.match(id, index === 0 ? /^abc-1$/ : /^[\w-]{12,40}$/);
      const sent = pair.backend.connections.map(({ received }) => received).join('');
      assert.equal(sent.split(`X-Request-Id: ${id}`).length, 2);
      assert.equal((await pair.site.record(index)).id, id);
    }
  });

  it('whose client waits for a 100, which comes once an upstream is there to take the body', async () => {
    await using site = await ProxySite.withBackends(1);
    const client = await site.client(requestText('POST /echo', ['Content-Length: 5', 'Expect: 100-continue']));
    assert.match(await client.receives('\r\n\r\n'), /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    client.write('hello');
    const answer = parseMessage((await client.rest()).slice('HTTP/1.1 100 Continue\r\n\r\n'.length));
    assert.deepEqual([answer.status, answer.body], [200, 'hello']);
    const seen = await forwarded(requestText('GET /', ['Expect: 100-continue']));
    assert.deepEqual(seen.all('expect'), []);
  });

  it('invents no 100 where the answer is final', async () => {
    await using site = await ProxySite.open([], { limits: { body: 10 } });
    const expecting = ['Content-Length: 5', 'Expect: 100-continue'];
    const nobody = await site.exchange(requestText('POST /', expecting));
    assert.equal(parseMessage(nobody).status, 503, nobody);
    const large = await site.exchange(requestText('POST /', ['Content-Length: 50', 'Expect: 100-continue']));
    assert.equal(parseMessage(large).status, 413, large);
  });

  it('of HTTP/1.0 clients, with a host when they name none', async () => {
    const seen = await forwarded('GET /x HTTP/1.0\r\n\r\n');
    assert.match(seen.startLine, /^GET \/x HTTP\/1\.1$/);
    assert.equal(seen.all('host').length, 1);
    const absolute = await forwarded('GET http://example.com/x HTTP/1.0\r\n\r\n');
    assert.deepEqual([absolute.startLine, absolute.all('host')], ['GET /x HTTP/1.1', ['example.com']]);
  });

  it('in absolute form as origin form', async () => {
    const seen = await forwarded(requestText('GET http://example.com/a?b'));
    assert.deepEqual([seen.startLine, seen.all('host')], ['GET /a?b HTTP/1.1', ['example.com']]);
  });

  it('but answers OPTIONS * itself', async () => {
    await using site = await ProxySite.withBackends(1);
    const answer = parseMessage(await site.exchange(requestText('OPTIONS *')));
    assert.equal(answer.status, 204);
    assert.match(answer.all('allow')[0] ?? '', /GET, HEAD/);
    assert.equal(parseMessage(await site.exchange(requestText('OPTIONS /'))).status, 200);
  });

  it('of pipelining clients, and answers in their order', async () => {
    await using site = await ProxySite.withBackends(2);
    const keep = ['Connection: keep-alive'];
    const paths = ['/slow?ms=60', '/a', '/slow?ms=20', '/b'];
    const client = await site.client(paths.map((path) => requestText(`GET ${path}`, keep)).join(''));
    await client.receives('"/b"');
    const order = [...client.received.matchAll(/"path":"([^"]+)"/g)].map(([, path]) => path);
    assert.deepEqual(order, ['/slow', '/a', '/slow', '/b']);
  });

  it('announcing trailers only where chunks carry them, and carries them', async () => {
    const bare = await forwarded(requestText('GET /', ['Trailer: X-Sum']));
    assert.deepEqual(bare.all('trailer'), []);
    const sized = await forwarded(requestText('POST /', ['Trailer: X-Sum', 'Content-Length: 2'], 'hi'));
    assert.deepEqual([sized.all('trailer'), sized.body], [[], 'hi']);
    const chunks = '2\r\nhi\r\n0\r\nX-Sum: 42\r\nHost: evil\r\n\r\n';
    await using pair = await ProxySite.withRaw((connection) => {
      connection.socket.on('data', () => {
        if (connection.received.endsWith('\r\n\r\n') && connection.received.includes('X-Sum: 4')) connection.write(OK);
      });
    });
    const fields = ['Trailer: X-Sum', 'Transfer-Encoding: chunked'];
    assert.equal(parseMessage(await pair.site.exchange(requestText('POST /', fields, chunks))).status, 200);
    assert.match(pair.backend.connections[0]?.received ?? '', /\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 42\r\n\r\n$/);
  });
});

describeEngines('the proxy relays responses', (engine) => {
  it('with status, reason and fields as they came, every Set-Cookie included', async () => {
    const head =
      'HTTP/1.1 418 I am a Teapot\r\nSet-Cookie: a=1\r\nX-Dup: 1\r\nSet-Cookie: b=2\r\nx-dup: 2\r\n__proto__: p\r\n';
    const answer = parseMessage(await relayed(`${head}X-E: \xe9\r\nContent-Length: 2\r\n\r\nok`));
    assert.equal(answer.startLine, 'HTTP/1.1 418 I am a Teapot');
    assert.deepEqual(answer.all('set-cookie'), ['a=1', 'b=2']);
    assert.deepEqual(answer.all('x-dup'), ['1', '2']);
    assert.deepEqual([answer.all('__proto__'), answer.all('x-e'), answer.body], [['p'], ['\xe9'], 'ok']);
    assert.deepEqual(answer.all('via'), ['1.1 heimdall']);
  });

  it('without hop-by-hop fields and those that Connection names', async () => {
    const head =
      'HTTP/1.1 200 OK\r\nConnection: X-Secret\r\nX-Secret: s\r\nKeep-Alive: timeout=9\r\nProxy-Authenticate: x\r\n';
    const answer = parseMessage(await relayed(`${head}Upgrade: h2c\r\nContent-Length: 2\r\n\r\nok`));
    for (const name of ['x-secret', 'keep-alive', 'proxy-authenticate', 'upgrade'])
      assert.deepEqual(answer.all(name), []);
    assert.deepEqual(answer.all('connection'), ['close']);
  });

  it('that have no body, and keeps the connection in step', async () => {
    const answers: Readonly<Record<string, string>> = {
      '/204': 'HTTP/1.1 204 No Content\r\n\r\n',
      '/304': 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 500\r\n\r\n',
      '/head': 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n',
      '/head-chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n',
      '/ok': OK,
    };
    await using pair = await ProxySite.withRaw((connection) => {
      onHeads(connection, (head) => connection.write(answers[head.split(' ')[1] ?? ''] ?? OK));
    });
    const keep = ['Connection: keep-alive'];
    const asked = ['GET /204', 'GET /304', 'HEAD /head', 'HEAD /head-chunked', 'GET /ok'];
    const client = await pair.site.client();
    for (const line of asked) {
      const before = client.received.length;
      client.write(requestText(line, keep));
      await client.receives(new RegExp(`^[\\s\\S]{${before}}HTTP[\\s\\S]*\\r\\n\\r\\n`));
      if (line === 'GET /ok') await client.receives('ok');
    }
    const statuses = [...client.received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    assert.deepEqual(statuses, ['204', '304', '200', '200', '200']);
    assert.equal(client.received.match(/Content-Length: 500/g)?.length, 2);
    assert.equal(pair.backend.connections.length, 1, 'the upstream connection was not used again');
  });

  it('without a length where there can be none', async () => {
    const answer = parseMessage(await relayed('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'));
    assert.deepEqual([answer.status, answer.all('content-length'), answer.body], [204, [], '']);
  });

  it('that end with their connection, in chunks', async () => {
    const answer = parseMessage(await relayed('HTTP/1.0 200 OK\r\n\r\nuntil the end', undefined, true));
    assert.deepEqual([answer.all('transfer-encoding'), answer.body], [['chunked'], 'd\r\nuntil the end\r\n0\r\n\r\n']);
  });

  it('to HTTP/1.0 clients without chunks, trailers or interim responses', async () => {
    await using site = await ProxySite.withBackends(1);
    for (const path of ['/stream?count=2&every=1', '/early-hints']) {
      const answer = await site.exchange(`GET ${path} HTTP/1.0\r\n\r\n`);
      const { status, all } = parseMessage(answer);
      assert.deepEqual([status, all('transfer-encoding'), all('connection')], [200, [], ['close']], answer);
    }
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n';
    const plain = parseMessage(await relayed(chunked, 'GET / HTTP/1.0\r\n\r\n'));
    assert.deepEqual([plain.all('trailer'), plain.body], [[], 'ok']);
  });

  it('after their interim responses, without what these must not carry', async () => {
    const hints =
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nLink: </b.js>\r\nConnection: x\r\nContent-Length: 3\r\n\r\n';
    const text = await relayed(`${hints}HTTP/1.1 102 Processing\r\n\r\n${OK}`);
    const first = parseMessage(text);
    assert.deepEqual([first.status, first.all('link')], [103, ['</a.css>', '</b.js>']]);
    assert.deepEqual([first.all('connection'), first.all('content-length')], [[], []]);
    assert.match(first.body, /^HTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    assert.match(await relayed(`HTTP/1.1 100 Continue\r\n\r\n${OK}`), /^HTTP\/1\.1 200 OK/);
  });

  it('with their trailers', async () => {
    await using site = await ProxySite.withBackends(1);
    const answer = parseMessage(await site.exchange(requestText('GET /trailers', ['TE: trailers'])));
    assert.deepEqual(answer.all('trailer'), ['X-Checksum']);
    assert.match(answer.body, /\r\n0\r\nX-Checksum: abc123\r\n\r\n$/);
  });

  it('on the connection that is asked to stay or to close', async () => {
    await using site = await ProxySite.withBackends(1);
    const client = await site.client();
    for (let i = 1; i <= 3; i += 1) {
      client.write(requestText('GET /', ['Connection: keep-alive']));
      await client.receives(`"requests":${i}}\n`);
    }
    client.write(requestText('GET /last'));
    assert.match(await client.rest(), /"\/last".*\n$/);
    if (engine === 'middleware') assert.match(client.received, /Keep-Alive: timeout=60/);
  });
});
