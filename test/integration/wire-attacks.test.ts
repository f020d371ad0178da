import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Attack, BROKEN_CHUNKS, GOOD_REQUESTS, REFUSED_REQUESTS, SMUGGLED } from '../fuzz/corpus.ts';
import { useEngine } from '../support/engines.ts';
import { type Belief, LenientBackend } from '../support/lenient-backend.ts';
import { eventually, onHeads, RawBackend, rawClient, type RawConnection, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';

/** What a refusal is answered with: 400 for most, the others where they say more. */
const REFUSAL = /^HTTP\/1\.1 (400|501|505) /;

interface Attacked extends AsyncDisposable {
  readonly site: ProxySite;
  readonly backend: LenientBackend;
}

/** A proxy in front of a backend that believes nearly everything. */
async function attacked(belief: Belief): Promise<Attacked> {
  const backend = await LenientBackend.start(belief);
  const site = await ProxySite.open([backend.port]);
  site.own(backend);
  return { site, backend, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
}

/** The lines of the requests that the backend sees when nobody stands before it. */
async function seenDirectly({ text }: Attack, belief: Belief): Promise<string[]> {
  const backend = await LenientBackend.start(belief);
  const client = await rawClient(backend.port, text);
  client.socket.end();
  await client.rest();
  client.close();
  await backend.stop();
  return backend.requests.map(({ startLine }) => startLine);
}

/** Without this the tests prove nothing: the attacks must work on whom they are made for. */
async function fallsFor(attacks: readonly Attack[], victim: Belief | null): Promise<void> {
  assert.ok(attacks.length > 0);
  if (victim === null) return;
  const seen = await Promise.all(attacks.map((attack) => seenDirectly(attack, victim)));
  assert.ok(seen.flat().includes('GET /smuggled HTTP/1.1'), JSON.stringify(seen));
}

/** Sends the attack, and finds it answered once, refused, and the connection closed. */
async function refused(site: ProxySite, name: string, ...parts: readonly string[]): Promise<void> {
  const [first = '', ...others] = parts;
  const client = await site.client(first);
  for (const part of others) {
    await eventually(`${name}: the head is with the backend`, () => site.inFlight() === 1);
    client.write(part);
  }
  await eventually(`${name}: the connection is over`, () => client.ended || client.closed);
  assert.match(client.received, REFUSAL, `${name}: ${client.received}`);
  assert.match(client.received, /\r\nConnection: close\r\n/, name);
  assert.equal(client.received.match(/HTTP\/1\.1 \d/g)?.length, 1, `${name} was answered twice`);
  client.close();
}

/** The next client gets the answer to its own request. */
async function next({ site }: Attacked, name: string): Promise<void> {
  assert.match(await site.exchange(requestText('GET /next')), /^HTTP\/1\.1 200 .*\r\n\r\nanswer to \/next$/s, name);
}

/** Attacks by name, each with the backend that falls for it when no proxy stands before it; null: none is smuggled. */
const HEADS: readonly (readonly [family: string, victim: Belief | null])[] = [
  // The proxy would believe the length, and the backend the chunks: what comes behind the last chunk is within the length,
  // and becomes the beginning of the next client's request.
  ['CL.TE', 'chunked'],
  // The proxy would believe the chunks, and the backend the length: the length ends in the middle of a chunk, whose rest
  // becomes the beginning of the next client's request.
  ['TE.CL', 'length'],
  // A coding that is none, or an empty one: for one of the two there is a body without an end, for the other there is
  // none, and what comes behind the head is a request.
  ['TE.0', 'length'],
  // The coding wears a disguise (a space, a tab, a NUL, a second line, a folded line, another name before it …) that only
  // one of the two sees through: the other looks for a length, or finds no body.
  ['TE.TE', 'chunked'],
  // A sign, a comma, hex, a space, a number that overflows: each program reads another length out of it, and the
  // difference between the two is a request.
  ['odd lengths', 'length'],
  // Of two lengths one program takes the first, the other the last; the longer one swallows the next client's request,
  // or the shorter one makes a request out of a body.
  ['two lengths', 'length'],
  // A line that is folded, that ends with LF or CR alone, or has no proper name: a field for one of the two, a part of the
  // field before it for the other. So fields are hidden from the proxy.
  ['odd field lines', null],
  // A head that ends with LF LF, or CR CR: it is over for one of the two, while the other reads a request in the body as
  // further fields.
  ['odd line ends', 'length'],
  // One program ends the target at another space than the next one, or takes a line without a version for HTTP/0.9: they
  // see different targets, so rules for one path let another one pass.
  ['odd start lines', null],
  // Two hosts, or one with a path or a user in it: the proxy routes by one name, the backend answers under another, and
  // a cache keeps the answer.
  ['odd hosts', null],
  // HTTP/1.0 knows no chunks: a backend of that age takes them for the body of nobody, and what is in them for a request.
  ['chunks under HTTP/1.0', 'length'],
];

const CHUNKS: readonly (readonly [family: string, victim: Belief | null])[] = [
  // A size with a space, a sign, hex in hex, or one that overflows in 32 or 64 bits (chunk overflow): small for one of the
  // two, large for the other, and the difference between the two is a request.
  ['odd sizes', null],
  // A line of a size that ends at a bare LF within its extension for one of the two (TERM.EXT, EXT.TERM, 2025): for the
  // other the rest of the line is the next chunk.
  ['TERM.EXT', 'chunked'],
  // An extension that is not as RFC 9112 writes it: a string that never ends, or a control character; where it is over
  // depends on who reads it.
  ['odd extensions', null],
  // Extensions alone, again and again: octets without end that no limit for bodies counts.
  ['extensions without end', null],
  // The data is longer or shorter than its size says: a program that does not look takes the difference for a size.
  ['data of another size', null],
  // A trailer section that ends at different places, or holds a request: a program that expects none takes it for one.
  ['odd trailers', null],
];

describe('nothing is smuggled past the wire engine', () => {
  for (const [family, victim] of HEADS) {
    it(`by ${family}: no octet of it reaches a backend`, async () => {
      const attacks = REFUSED_REQUESTS.filter(({ name }) => name.startsWith(family));
      await fallsFor(attacks, victim);
      for (const belief of ['length', 'chunked'] as const) {
        await using pair = await attacked(belief);
        for (const { name, text } of attacks) await refused(pair.site, name, text);
        assert.equal(pair.backend.received, '');
        await next(pair, family);
        assert.equal(pair.backend.requests.length, 1);
      }
    });
  }

  for (const [family, victim] of CHUNKS) {
    it(`by ${family}, in one piece: the backend gets no request`, async () => {
      const attacks = BROKEN_CHUNKS.filter(({ name }) => name.startsWith(family));
      await fallsFor(attacks, victim);
      for (const belief of ['length', 'chunked'] as const) {
        await using pair = await attacked(belief);
        for (const { name, text } of attacks) await refused(pair.site, name, text);
        assert.deepEqual(pair.backend.requests, []);
        await next(pair, family);
        assert.equal(pair.backend.requests.length, 1);
      }
    });
  }

  it('by any attack that the tables above forgot', () => {
    const families = [...HEADS, ...CHUNKS].map(([family]) => family);
    for (const { name } of [...REFUSED_REQUESTS, ...BROKEN_CHUNKS]) {
      assert.ok(
        families.some((family) => name.startsWith(family)),
        name,
      );
    }
  });

  // The same, but the head is with the backend when the broken chunk comes. The backend must see the request break off:
  // its connection closes, and nobody else's request ever comes on it.
  it('by ambiguous chunks that come late', async () => {
    await using victim = await attacked('chunked');
    for (const { name, text } of BROKEN_CHUNKS) {
      const bodyStart = text.indexOf('\r\n\r\n') + 4;
      const before = victim.backend.connections.length;
      await refused(victim.site, name, text.slice(0, bodyStart), text.slice(bodyStart));
      for (const connection of victim.backend.connections.slice(before)) {
        await eventually(`${name}: the backend's connection is over`, () => connection.ended || connection.closed);
        assert.doesNotMatch(connection.received, /smuggled/, name);
      }
    }
    await next(victim, 'after all');
    const lines = victim.backend.requests.map(({ startLine }) => startLine);
    assert.deepEqual(
      lines.filter((line) => line !== 'GET /next HTTP/1.1'),
      [],
    );
  });

  // A request that only looks like an attack is a client's good right: a proxy that refuses it breaks an application.
  it('and what is no attack arrives', async () => {
    for (const { name, text } of GOOD_REQUESTS) {
      await using victim = await attacked('chunked');
      const client = await victim.site.client(text);
      if (name === 'a body that breaks off') {
        await eventually(name, () => victim.backend.connections.length === 1);
        client.close();
        continue;
      }
      await client.receives(/^HTTP\/1\.1 2/);
      client.close();
    }
  });

  // CL.0: a backend that reads no body of a GET takes the body for the next request, and answers twice on a connection.
  // A second answer that nobody asked for must never be given to the next client.
  it('by a body that the backend takes for a request', async () => {
    await using victim = await attacked('nothing');
    for (let i = 0; i < 5; i += 1) {
      const attack = `GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length}\r\nConnection: close\r\n\r\n${SMUGGLED}`;
      const answer = await victim.site.exchange(attack);
      assert.match(answer, /answer to \/a$/);
      await next(victim, `after attack ${i}`);
    }
    assert.ok(victim.backend.requests.some(({ startLine }) => startLine.includes('/smuggled')));
  });

  // Hop-by-hop abuse: a field that `Connection` names ends at the proxy. Without its length, or its host, the request
  // would mean something else to the backend.
  it('by a Connection field that names the fields a request is framed and routed by', async () => {
    await using victim = await attacked('length');
    const attack = requestText(
      'POST /a',
      ['Content-Length: 3', 'Connection: close, content-length, host, x-forwarded-for, transfer-encoding'],
      'abc',
    );
    assert.match(await victim.site.exchange(attack), /answer to \/a$/);
    assert.match(victim.backend.received, /\r\nContent-Length: 3\r\n/);
    assert.match(victim.backend.received, /\r\nHost: example\.com\r\n/);
    assert.match(victim.backend.received, /\r\nX-Forwarded-For: 127\.0\.0\.1\r\n/);
    assert.deepEqual(
      victim.backend.requests.map(({ body }) => body),
      ['abc'],
    );
  });

  // h2c smuggling: the client upgrades to HTTP/2 through the proxy, and sends requests past it in the tunnel.
  it('by an upgrade to HTTP/2', async () => {
    await using victim = await attacked('length');
    const fields = [
      'Connection: close, Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
    ];
    assert.match(await victim.site.exchange(requestText('GET /a', fields)), /answer to \/a$/);
    assert.doesNotMatch(victim.backend.received, /^(?:upgrade|http2-settings):|^connection:.*upgrade|: .*h2c\r$/im);
  });

  // Trailers come after every check of the head: one that is merged into it by the backend would replace a checked field.
  it('by trailers that pretend to be fields of the head', async () => {
    await using victim = await attacked('chunked');
    const trailers =
      'Host: evil\r\nContent-Length: 50\r\nTransfer-Encoding: x\r\nX-Forwarded-For: 1.2.3.4\r\nX-Sum: 1\r\n';
    const text = requestText('POST /a', ['Transfer-Encoding: chunked'], `3\r\nabc\r\n0\r\n${trailers}\r\n`);
    assert.match(await victim.site.exchange(text), /answer to \/a$/);
    assert.match(victim.backend.received, /\r\n0\r\nX-Sum: 1\r\n\r\n$/);
  });
});

/** Writes a text of about 64 KiB again and again. @returns how many octets are taken, once nothing moves any more. */
async function flood(client: RawConnection, text: string, isReady = () => true): Promise<number> {
  let taken = 0;
  const pour = () => {
    if (taken < FLOOD)
      client.socket.write(text, 'latin1', () => {
        taken += text.length;
        pour();
      });
  };
  pour();
  let before = -1;
  let still = 0;
  await eventually('the client is held back, or all is taken', () => {
    still = taken === before && isReady() ? still + 1 : 0;
    before = taken;
    return still > 40;
  });
  return taken;
}

/** More than the kernel keeps for two sockets of this host. */
const FLOOD = 40_000_000;
const HELD = 20_000_000;

describe('a client that sends without end and takes nothing', () => {
  // Each answered request sets the client going again, although what came before is still waiting.
  // In the end the proxy keeps the whole flood in its memory.
  it('is held back when it sends requests with bodies, however many are answered', async () => {
    useEngine('wire');
    const empty = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    let answers = 0;
    let most = 1_000;
    const backend = await RawBackend.start((connection) => {
      onHeads(connection, () => {
        answers += 1;
        if (answers <= most) connection.write(empty);
      });
    });
    await using proxy = await ProxySite.open([backend.port]);
    proxy.own(backend);
    const client = await proxy.client();
    const request = requestText('POST /', ['Connection: keep-alive', 'Content-Length: 1'], 'x');
    const taken = await flood(client, request.repeat(800), () => answers > 1_000);
    assert.ok(taken < HELD, `${taken} octets were taken`);
    client.close();
    most = Number.POSITIVE_INFINITY; // a client that is held back is not seen to leave
    for (const connection of backend.connections) connection.write(empty);
  });

  // No upstream is needed for an answer of our own, so nothing else slows the flood down.
  // The answers that the client does not read fill the proxy's memory.
  it('is held back when it asks for what is not there', async () => {
    useEngine('wire');
    await using proxy = await ProxySite.open([], { service: { routes: [{ path: '/only' }] } });
    const client = await proxy.client();
    client.socket.pause();
    const request = requestText('GET /else', ['Connection: keep-alive']);
    const taken = await flood(client, request.repeat(1_000));
    assert.ok(taken < HELD, `${taken} octets were taken`);
    client.close();
  });
});

describe('a body that is too large', () => {
  // It comes whole, with the beginning of another request behind it: when that is dropped and the connection goes on,
  // the rest of the other request's field becomes a request.
  it('ends its connection, so that nothing behind it is read', async () => {
    useEngine('wire');
    const backend = await LenientBackend.start('chunked');
    await using proxy = await ProxySite.open([backend.port], { limits: { body: 10 } });
    proxy.own(backend);
    const chunk = `14\r\n${'x'.repeat(20)}\r\n0\r\n\r\n`;
    const client = await proxy.client(
      `${requestText('POST /', ['Connection: keep-alive', 'Transfer-Encoding: chunked'], chunk)}GET /first HTTP/1.1\r\nHost: a\r\nX-Part: ab`,
    );
    await client.receives('413');
    client.write('GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n');
    const answer = await client.rest();
    assert.match(answer, /^HTTP\/1\.1 413 [^]*Connection: close/);
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
    assert.deepEqual(backend.requests, []);
  });
});
