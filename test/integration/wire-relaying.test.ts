import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useEngine } from '../support/engines.ts';
import { LenientBackend } from '../support/lenient-backend.ts';
import {
  eventually,
  onHeads,
  parseMessage,
  type RawBackend,
  type RawConnection,
  requestText,
} from '../support/proxy-raw.ts';
import { ProxySite, type SiteOptions } from '../support/proxy-site.ts';

const KEEP = 'Connection: keep-alive';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

type Serve = Parameters<typeof RawBackend.start>[0];

function site(serve: Serve, options?: SiteOptions) {
  useEngine('wire');
  return ProxySite.withRaw(serve, options);
}

/** Answers the heads of a connection, one after the other, with the texts in turn. */
function inTurn(...answers: readonly string[]): Serve {
  return (connection) => onHeads(connection, (_, index) => connection.write(answers[index] ?? OK));
}

function gone(connection: RawConnection): boolean {
  return connection.ended || connection.closed;
}

describe('the wire engine reads requests', () => {
  it('that come in one piece, each to its own end, and answers them in their order', async () => {
    useEngine('wire');
    const backend = await LenientBackend.start('chunked');
    await using proxy = await ProxySite.open([backend.port]);
    proxy.own(backend);
    const requests = Array.from({ length: 500 }, (_, i) => {
      if (i % 3 === 0) return requestText(`GET /${i}`, [KEEP]);
      if (i % 3 === 1) return requestText(`POST /${i}`, [KEEP, 'Content-Length: 5'], 'GET /');
      return requestText(`POST /${i}`, [KEEP, 'Transfer-Encoding: chunked'], '3;a=b\r\nGET\r\n0\r\nX: y\r\n\r\n');
    });
    const client = await proxy.client(requests.join('') + requestText('GET /last'));
    const order = [...(await client.rest()).matchAll(/answer to \/(\d+|last)(?=HTTP|$)/g)].map(([, target]) => target);
    assert.deepEqual(order, [...requests.map((_, i) => String(i)), 'last']);
    assert.deepEqual(
      backend.requests.slice(0, 3).map(({ body }) => body),
      ['', 'GET /', 'GET'],
    );
  });

  it('in any pieces', async () => {
    useEngine('wire');
    const backend = await LenientBackend.start('chunked');
    await using proxy = await ProxySite.open([backend.port]);
    proxy.own(backend);
    const text =
      requestText('POST /', [KEEP, 'Transfer-Encoding: chunked'], '3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n') +
      requestText('GET /');
    const client = await proxy.client();
    client.socket.setNoDelay(true);
    for (const octet of text) {
      client.write(octet);
      await new Promise(setImmediate);
    }
    assert.equal((await client.rest()).match(/HTTP\/1\.1 200 OK/g)?.length, 2);
  });

  it('of HTTP/1.0 clients that keep their connection, and of those that do not', async () => {
    await using pair = await site(inTurn());
    const client = await pair.site.client('GET /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n');
    assert.deepEqual(parseMessage(await client.receives(/ok$/)).all('connection'), ['keep-alive']);
    client.write('GET /b HTTP/1.0\r\n\r\n');
    await client.receives(/ok[^]+ok$/);
    assert.deepEqual(parseMessage((await client.rest()).split(/(?<=ok)(?=HTTP)/)[1] ?? '').all('connection'), [
      'close',
    ]);
  });

  // `Transfer_Encoding: chunked` is no framing for us. A backend behind a gateway that writes both as
  // HTTP_TRANSFER_ENCODING would believe it, and read the body as chunks.
  it('without the fields that a gateway would take for the framing', async () => {
    await using pair = await site(inTurn());
    const fields = ['Transfer_Encoding: chunked', 'Content_Length: 9', 'X_Forwarded_For: 1.1.1.1', 'X_Mine: kept'];
    assert.equal(await pair.site.statusOf(requestText('GET /', fields)), 200);
    const seen = pair.backend.connections[0]?.received ?? '';
    assert.doesNotMatch(seen, /_encoding|_length|_forwarded/i);
    assert.match(seen, /X_Mine: kept\r\n/);
  });

  // 0xA0 is a space for some programs, and none for HTTP: what is no option must not become one on the way.
  it('without taking an octet for white space that is none', async () => {
    await using pair = await site(inTurn());
    const client = await pair.site.client(requestText('GET /a', ['Connection: keep-alive, \xa0close', 'X: \xa0 \t ']));
    await client.receives('ok');
    client.write(requestText('GET /b'));
    await client.receives(/ok[^]+ok$/);
    assert.match(pair.backend.connections[0]?.received ?? '', /\r\nX: \xa0 \t \r\n/);
  });

  it('to the server itself, by OPTIONS in both forms, and refuses to be a forward proxy', async () => {
    await using pair = await site(inTurn());
    for (const target of ['*', 'http://example.com']) {
      const answer = parseMessage(await pair.site.exchange(requestText(`OPTIONS ${target}`)));
      assert.deepEqual([answer.status, answer.all('allow').length], [204, 1], target);
    }
    assert.equal(await pair.site.statusOf(requestText('OPTIONS http://example.com/')), 200);
    assert.equal(await pair.site.statusOf('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'), 501);
    assert.deepEqual(
      pair.backend.connections.map(({ received }) => received.split('\r\n', 1)[0]),
      ['OPTIONS / HTTP/1.1'],
    );
  });
});

describe('an expectation of 100-continue through the wire engine', () => {
  const WAITING = requestText('POST /', [KEEP, 'Expect: 100-continue', 'Content-Length: 5']);

  it('is the backend’s to meet: its 100 is the one that the client gets', async () => {
    await using pair = await site((connection) => {
      connection.socket.on('data', () => {
        if (connection.received.endsWith('hello')) connection.write(OK);
      });
    });
    const client = await pair.site.client(WAITING);
    const backend = await pair.backend.connection(0);
    assert.deepEqual(parseMessage(await backend.receives('\r\n\r\n')).all('expect'), ['100-continue']);
    assert.equal(client.received, '');
    backend.write('HTTP/1.1 100 Continue\r\n\r\n');
    assert.equal(await client.receives('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
    client.write('hello');
    await client.receives(/\r\n\r\nok$/);
  });

  it('that the backend ignores holds nothing up: the client may send the body all the same', async () => {
    await using pair = await site((connection) => {
      connection.socket.on('data', () => {
        if (connection.received.endsWith('hello')) connection.write(OK);
      });
    });
    const client = await pair.site.client(WAITING);
    await (await pair.backend.connection(0)).receives('\r\n\r\n');
    client.write(`hello${requestText('GET /hello')}`);
    await (await pair.backend.connection(0)).receives('hello');
    assert.match(await client.receives('ok'), /^HTTP\/1\.1 200 OK/);
  });

  it('that is answered for good ends both connections: a body may or may not follow', async () => {
    await using pair = await site(inTurn('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n'));
    const answer = parseMessage(await (await pair.site.client(WAITING)).rest());
    assert.deepEqual([answer.status, answer.all('connection')], [417, ['close']]);
    const backend = await pair.backend.connection(0);
    await eventually('the backend is left', () => gone(backend));
  });
});

describe('the wire engine relays', () => {
  it('interim responses as they come, and no 100 that nobody waits for', async () => {
    const interims = [100, 102, 103, 103, 199].map((status) => `HTTP/1.1 ${status} So\r\nLink: </${status}>\r\n\r\n`);
    await using pair = await site((connection) => onHeads(connection, () => connection.write(interims.join(''))));
    const client = await pair.site.client(requestText('GET /'));
    await client.receives('</199>\r\n\r\n');
    assert.equal(client.received, interims.slice(1).join(''));
    (await pair.backend.connection(0)).write(OK);
    assert.match(await client.rest(), /200 OK/);
  });

  // RFC 9112 §9.6: after a `close`, in whichever response, the backend reads no further request.
  it('an interim response that says close, and asks nothing more on that connection', async () => {
    const closing = 'HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n';
    await using pair = await site(inTurn(closing + OK));
    const client = await pair.site.client(requestText('GET /a', [KEEP]));
    assert.doesNotMatch(await client.receives('ok'), /connection/i);
    client.write(requestText('GET /b'));
    await client.rest();
    assert.equal(pair.backend.connections.length, 2);
    await eventually('the first is left', () => pair.backend.connections[0]?.ended === true);
  });

  it('answers to HEAD with the length they tell, and without one, and no body', async () => {
    const long = 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n';
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    const open = 'HTTP/1.1 200 OK\r\n\r\n';
    await using pair = await site(inTurn(long, chunked, open));
    const client = await pair.site.client(requestText('HEAD /', [KEEP]).repeat(3) + requestText('GET /'));
    const heads = (await client.rest()).split(/(?<=\r\n\r\n)(?=HTTP)/).map(parseMessage);
    assert.deepEqual(
      heads.map(({ body, all }) => [body, all('content-length')]),
      [
        ['', ['1000']],
        ['', []],
        ['', []],
        ['ok', ['2']],
      ],
    );
    assert.equal(pair.backend.connections.length, 1);
  });

  // The backend sends a body where there is none. Taken for the next answer it would go to somebody else.
  it('no body behind a 204, a 304 or the answer to a HEAD, and trusts that connection no more', async () => {
    for (const [method, start] of [
      ['GET', '204 No Content'],
      ['GET', '304 Not Modified'],
      ['HEAD', '200 OK'],
    ]) {
      const poison = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
      await using pair = await site((connection, index) => {
        onHeads(connection, () => connection.write(index === 0 ? `HTTP/1.1 ${start}\r\n\r\n${poison}` : OK));
      });
      const client = await pair.site.client(requestText(`${method} /`, [KEEP]) + requestText('GET /'));
      assert.match(await client.rest(), /\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]+\r\n\r\nok$/);
      assert.doesNotMatch(client.received, /poison/);
      assert.equal(pair.backend.connections.length, 2);
    }
  });

  it('a length as the number it is', async () => {
    await using pair = await site(inTurn('HTTP/1.1 200 OK\r\nContent-Length: 0002\r\n\r\nok'));
    assert.deepEqual(parseMessage(await pair.site.exchange(requestText('GET /'))).all('content-length'), ['2']);
  });

  it('each event before the backend sends the next', async () => {
    for (const framing of ['Transfer-Encoding: chunked', 'Content-Length: 1000', 'X-Length: none']) {
      await using pair = await site((connection) => {
        onHeads(connection, () => connection.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`));
      });
      const client = await pair.site.client(requestText('GET /events'));
      await client.receives('\r\n\r\n');
      const backend = await pair.backend.connection(0);
      for (let n = 0; n < 20; n += 1) {
        const event = `data: ${n}\n\n`;
        backend.write(framing.startsWith('T') ? `${event.length.toString(16)}\r\n${event}\r\n` : event);
        await client.receives(event);
      }
      client.close();
      await eventually('the backend hears of it', () => gone(backend));
    }
  });

  it('trailers both ways, but none that would change what was read already', async () => {
    const trailers = 'X-Sum: 1\r\nContent-Length: 3\r\nHost: b\r\nX_Forwarded_For: 1.1.1.1\r\nX-Two: 2\r\n\r\n';
    await using pair = await site((connection) => {
      connection.socket.on('data', () => {
        if (!connection.received.endsWith('X-Two: 2\r\n\r\n')) return;
        connection.write(
          `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\n${trailers}`,
        );
      });
    });
    const fields = ['Transfer-Encoding: chunked', 'TE: trailers', 'Trailer: X-Sum'];
    const answer = parseMessage(
      await pair.site.exchange(requestText('POST /', fields, `3\r\nabc\r\n0\r\n${trailers}`)),
    );
    assert.deepEqual([answer.body, answer.all('trailer')], ['2\r\nok\r\n0\r\nX-Sum: 1\r\nX-Two: 2\r\n\r\n', ['X-Sum']]);
    const seen = parseMessage(pair.backend.connections[0]?.received ?? '');
    assert.equal(seen.body, '3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Two: 2\r\n\r\n');
    assert.deepEqual([seen.all('te'), seen.all('trailer')], [['trailers'], ['X-Sum']]);
  });

  it('what backends of HTTP/1.0 say, and keeps their connection where they ask for it', async () => {
    const kept = 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok';
    await using pair = await site((connection, index) => {
      onHeads(connection, (head) => {
        connection.write(head.startsWith('GET /end') ? 'HTTP/1.0 200 OK\r\n\r\nend' : kept);
        if (head.startsWith('GET /end')) connection.socket.end();
        assert.ok(index < 1);
      });
    });
    const client = await pair.site.client(requestText('GET /a', [KEEP]) + requestText('GET /b', [KEEP]));
    await client.receives(/ok[^]+ok$/);
    client.write(requestText('GET /end'));
    assert.match(await client.rest(), /HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*\r\n3\r\nend\r\n0\r\n\r\n$/);
    assert.match(client.received, /Via: 1\.0 heimdall\r\n/);
  });
});

describe('a body that ends with its connection', () => {
  for (const version of ['1.1', '1.0']) {
    it(`is whole for a client of HTTP/${version} when the backend ends it, and broken when it is reset`, async () => {
      await using pair = await site((connection) => {
        onHeads(connection, () => connection.write('HTTP/1.1 200 OK\r\n\r\nbeginning'));
      });
      const text = `GET / HTTP/${version}\r\nHost: a\r\nConnection: close\r\n\r\n`;
      const whole = await pair.site.client(text);
      await whole.receives('beginning');
      (await pair.backend.connection(0)).socket.end();
      await eventually('it is whole', () => whole.ended);
      assert.equal(whole.received.endsWith('\r\n0\r\n\r\n'), version === '1.1');
      const broken = await pair.site.client(text);
      await broken.receives('beginning');
      (await pair.backend.connection(1)).reset();
      await eventually('it is broken', () => gone(broken));
      assert.doesNotMatch(broken.received, /\r\n0\r\n/);
      if (version === '1.0') assert.equal(broken.error?.message, 'read ECONNRESET');
      assert.deepEqual(await pair.site.outcomes(1), ['truncated']);
    });
  }
});

describe('the connections to an upstream', () => {
  it('that a peak needed serve the next peak, and those beyond 64 are closed soon after the last', async () => {
    const held: RawConnection[] = [];
    await using made = await site((connection) => onHeads(connection, () => held.push(connection)));
    const peak = async () => {
      const clients = await Promise.all(Array.from({ length: 100 }, () => made.site.client(requestText('GET /'))));
      await eventually('all requests are there', () => held.length === 100);
      for (const connection of held.splice(0)) connection.write(OK);
      await Promise.all(clients.map((client) => client.rest()));
    };
    await peak();
    await peak();
    assert.equal(made.backend.connections.length, 100);
    const open = () => made.backend.connections.filter((connection) => !gone(connection)).length;
    await eventually('only 64 are left', () => open() <= 64);
    assert.equal(open(), 64);
  });
});
