import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REFUSED_RESPONSES } from '../fuzz/corpus.ts';
import {
  eventually,
  onHeads,
  parseMessage,
  RawBackend,
  type RawConnection,
  requestText,
} from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
/** No attempt but the first, so that the test sees what became of it. */
const ONE_ATTEMPT = { retries: { attempts: 0 } };

type Served = Awaited<ReturnType<typeof ProxySite.withRaw>>;

/** A backend that gives the first request it gets `answer`, and every other one a good answer. */
function served(answer: (connection: RawConnection) => void): Promise<Served> {
  let isFirst = true;
  return ProxySite.withRaw((connection) => {
    onHeads(connection, () => {
      if (isFirst) answer(connection);
      else connection.write(OK);
      isFirst = false;
    });
  }, ONE_ATTEMPT);
}

/** Later clients get what is theirs, and on another connection than the poisoned one. */
async function othersAreServed({ site, backend }: Served, name: string): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    const { status, body } = parseMessage(await site.exchange(requestText('GET /next')));
    assert.deepEqual([status, body], [200, 'ok'], name);
  }
  const [poisoned] = backend.connections;
  assert.doesNotMatch(poisoned?.received ?? '', /GET \/next/, `${name}: the connection was used again`);
}

const HEADS: readonly string[] = [
  // Response splitting: an application copies what a user sent into a field, with a line end in it. Behind a bare LF, a
  // bare CR or a folded line some programs see a field of their own, or the end of the head.
  'odd field lines',
  // Response smuggling: of two lengths, or a length and a coding, the client believes another one than the proxy, and
  // takes what follows for the answer to its next request.
  'ambiguous framing',
  // A status that is none, or of another version of HTTP: whether a body follows depends on who reads it.
  'odd status lines',
  // The same head ends at different places for those who take LF for a line end and those who do not.
  'bare LFs',
  // HTTP/1.0 knows no chunks: one of the two takes them for data, and reads to the end of the connection.
  'chunks under HTTP/1.0',
];

describe('no response is smuggled past the wire engine', () => {
  for (const family of HEADS) {
    it(`by ${family}: the head is not relayed at all`, async () => {
      const attacks = REFUSED_RESPONSES.filter(({ name }) => name.startsWith(family));
      assert.ok(attacks.length > 0);
      for (const { name, text } of attacks) {
        await using pair = await served((connection) => connection.write(text));
        const answer = await pair.site.exchange(requestText('GET /'));
        assert.equal(parseMessage(answer).status, 502, `${name}: ${answer}`);
        assert.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 1, name);
        const connection = await pair.backend.connection(0);
        await eventually(`${name}: the backend's connection is over`, () => connection.ended || connection.closed);
        await othersAreServed(pair, name);
      }
    });
  }

  it('by any attack that the table above forgot', () => {
    for (const { name } of REFUSED_RESPONSES)
      assert.ok(
        HEADS.some((family) => name.startsWith(family)),
        name,
      );
  });

  // Response queue poisoning: what a backend sends beyond its answer waits on the connection for the next client. On a
  // HEAD, a 204 and a 304 already the body is too much.
  it('by octets behind an answer', async () => {
    const answers: Readonly<Record<string, readonly [method: string, answer: string]>> = {
      'a second response': ['GET', `${OK}${EVIL}`],
      'one octet': ['GET', `${OK}\n`],
      'the body of a HEAD': ['HEAD', EVIL],
      'the body of a 204': ['GET', `HTTP/1.1 204 No Content\r\n\r\n${EVIL}`],
      'the body of a 304': ['GET', `HTTP/1.1 304 Not Modified\r\nContent-Length: ${EVIL.length}\r\n\r\n${EVIL}`],
      'the chunks of a 204': [
        'GET',
        'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n',
      ],
      'something behind the last chunk': [
        'GET',
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${EVIL}`,
      ],
      'a body longer than its length': ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokevil'],
    };
    for (const [name, [method, answer]] of Object.entries(answers)) {
      await using pair = await served((connection) => connection.write(answer));
      assert.doesNotMatch(await pair.site.exchange(requestText(`${method} /`)), /evil/, name);
      await othersAreServed(pair, name);
    }
  });

  it('by octets that come while nobody asks', async () => {
    await using pair = await served((connection) => connection.write(OK));
    assert.match(await pair.site.exchange(requestText('GET /')), /ok$/);
    const idle = await pair.backend.connection(0);
    idle.write(EVIL);
    await eventually('the connection is over', () => idle.ended || idle.closed);
    await othersAreServed(pair, 'unasked');
  });

  // A pipelining client, keep-alive on both sides: the evil response would come next on the very same connections.
  it('to the next request of the same client', async () => {
    await using pair = await served((connection) => connection.write(`${OK}${EVIL}`));
    const client = await pair.site.client('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.receives(/ok.*ok$/s);
    client.write(requestText('GET /3'));
    assert.equal((await client.rest()).match(/\r\n\r\nok/g)?.length, 3);
    assert.doesNotMatch(client.received, /evil/);
  });

  // The answer is there before the request's body is: what the client sends then must not become a request of its own,
  // neither for the proxy nor for the backend.
  it('by an answer that comes before the body of its request', async () => {
    await using pair = await served((connection) => connection.write(OK));
    const client = await pair.site.client('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n');
    await client.receives(/ok$/);
    client.write('GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.rest();
    assert.match(client.received, /\r\nConnection: close\r\n/);
    assert.equal(client.received.match(/HTTP\/1\.1 \d/g)?.length, 1);
    await othersAreServed(pair, 'early');
    assert.doesNotMatch(pair.backend.connections.map(({ received }) => received).join(''), /smuggled/);
  });

  // An Expect that the backend answers with a final status: the body that the client sends all the same is nobody's.
  it('by a final answer to an expectation', async () => {
    await using pair = await served((connection) => connection.write('HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno'));
    const client = await pair.site.client(
      'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 38\r\n\r\n',
    );
    await client.receives(/no$/);
    client.write('GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.rest();
    assert.equal(client.received.match(/HTTP\/1\.1 \d/g)?.length, 1);
    await othersAreServed(pair, '417');
  });

  // The refused answer of one backend is followed by another one, in the same octets. The request is tried again on
  // another backend at once, and the rest must not be taken for what that one answers.
  it('by octets behind an answer that is refused, when the request goes on to another backend', async () => {
    const refused = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n';
    let armed = false;
    const answer = (connection: RawConnection) => {
      connection.write(armed ? `${refused}${EVIL}` : OK);
      armed = false;
    };
    const start = () => RawBackend.start((connection) => onHeads(connection, () => answer(connection)));
    const backends = [await start(), await start()];
    await using site = await ProxySite.open(backends.map(({ port }) => port));
    for (const backend of backends) site.own(backend);
    for (let i = 0; i < 6; i += 1) {
      armed = i >= 2; // both backends have an idle connection by then
      const { status, body } = parseMessage(await site.exchange(requestText('GET /')));
      assert.deepEqual([status, body, armed], [200, 'ok', false], `request ${i}`);
    }
  });

  // A body that breaks off, or whose chunks are not framed, must not end at the client as if it were whole.
  it('by a body without its end: the client sees it break off', async () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    const bodies = [
      '5\r\nhel',
      '5\r\nhelloX\r\n0\r\n\r\n',
      '5\r\nhello\r\nzz\r\n',
      '5;\nx\r\nhello\r\n0\r\n\r\n',
      '5\r\nhello\r\n0\r\nA : b\r\n\r\n',
      '-1\r\n\r\n',
    ];
    for (const body of bodies) {
      await using pair = await served((connection) => {
        connection.write(head);
        connection.socket.end(body, 'latin1');
      });
      const client = await pair.site.client('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.rest();
      assert.doesNotMatch(client.received, /0\r\n\r\n$/, JSON.stringify(body));
      assert.doesNotMatch(client.received, /HTTP.*HTTP/s);
      await othersAreServed(pair, body);
    }
  });

  // 101 without being asked, or to something else than was asked: a tunnel would open past every rule of the proxy.
  it('by a switch of protocols that nobody asked for', async () => {
    const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nevil';
    for (const fields of [[], ['Upgrade: x'], ['Connection: close, Upgrade', 'Upgrade: h2c']]) {
      await using pair = await served((connection) => connection.write(switching));
      const answer = await pair.site.exchange(requestText('GET /', fields));
      assert.equal(parseMessage(answer).status, 502, answer);
      assert.doesNotMatch(answer, /evil/);
      await othersAreServed(pair, fields.join());
    }
  });

  // Header injection: what one side says about itself, or about this connection, ends up among the proxy's own lines.
  it('by a field that adds lines of its own to what the proxy writes', async () => {
    const answer =
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a=b\r\n\r\nok';
    await using pair = await served((connection) => connection.write(answer));
    const request = requestText('GET /', ['X-Request-Id: a\x85b', 'X-Forwarded-Host: evil']);
    const { all } = parseMessage(await pair.site.exchange(request));
    assert.deepEqual([all('set-cookie'), all('keep-alive')], [['a=b'], []]);
    assert.match(all('x-request-id')[0] ?? '', /^[\w.:/+=-]+$/);
  });
});

describe('a backend without end', () => {
  // Interim responses, or a head, that go on and on: the memory of the proxy would follow them.
  it('is cut off in the middle of its head', async () => {
    await using pair = await served((connection) => connection.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`));
    assert.equal(parseMessage(await pair.site.exchange(requestText('GET /'))).status, 502);
    await othersAreServed(pair, 'a head');
  });

  it('is cut off in the middle of its interim responses', async () => {
    const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
    await using few = await served((connection) => connection.write(`${hint.repeat(100)}${OK}`));
    const answer = await few.site.exchange(requestText('GET /'));
    assert.equal(answer.match(/HTTP\/1\.1 103/g)?.length, 100);
    assert.match(answer, /HTTP\/1\.1 200 OK\r\n[^]*ok$/);
    await using many = await served((connection) => connection.write(hint.repeat(1_000)));
    assert.match(await many.site.exchange(requestText('GET /')), /HTTP\/1\.1 502 /);
    await othersAreServed(many, 'interim responses');
  });
});
