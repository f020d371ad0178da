import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  endToEndFields,
  type Forwarding,
  requestFields,
  requestIdOf,
  responseFields,
  trailerFields,
  valuesOf,
} from '../../../internal/proxy/fields.ts';

const FORWARDING: Forwarding = {
  peer: '203.0.113.9',
  trusted: false,
  protocol: 'http',
  port: 8080,
  host: 'example.com',
  requestId: 'id-1',
  chunked: false,
  trace: null,
};

function request(fields: readonly string[], overrides: Partial<Forwarding> = {}): string[] {
  return requestFields(['Host', 'example.com', ...fields], { ...FORWARDING, ...overrides });
}

function response(fields: readonly string[], overrides: Partial<Parameters<typeof responseFields>[1]> = {}): string[] {
  return responseFields(fields, {
    status: 200,
    requestId: 'id-1',
    setCookie: null,
    chunked: false,
    replacing: [],
    ...overrides,
  });
}

describe('endToEndFields', () => {
  it('drops hop-by-hop fields and those that Connection names, in any case', () => {
    const fields = ['Connection', 'X-One, x-TWO', 'connection', 'x-three'];
    const dropped = ['Keep-Alive', 'Proxy-Connection', 'TE', 'Transfer-Encoding', 'Upgrade', 'Proxy-Authenticate'];
    for (const name of [...dropped, 'Proxy-Authorization', 'x-one', 'X-Two', 'X-Three']) fields.push(name, 'v');
    assert.deepEqual(endToEndFields([...fields, 'X-Kept', 'v']), ['X-Kept', 'v']);
  });

  // `Connection: content-length, host` makes a careless proxy drop the very fields that frame and route the message.
  it('keeps what a message cannot do without, also when Connection names it', () => {
    const kept = ['Host', 'Content-Length', 'Content-Type', 'Authorization', 'Cookie', 'Set-Cookie', 'X-Request-Id'];
    const fields = ['Connection', kept.join(','), ...kept.flatMap((name) => [name, 'v'])];
    assert.deepEqual(
      endToEndFields(fields),
      kept.flatMap((name) => [name, 'v']),
    );
  });

  it('keeps order, spelling and repetition of the rest', () => {
    const fields = ['X-B', '1', 'x-a', '2', 'X-B', '3', '__proto__', '4', 'constructor', '5'];
    assert.deepEqual(endToEndFields(fields), fields);
  });
});

describe('the fields of a request', () => {
  it('say who asked, for what and through whom', () => {
    const fields = request([]);
    assert.deepEqual(valuesOf(fields, 'x-forwarded-for'), ['203.0.113.9']);
    assert.deepEqual(valuesOf(fields, 'x-forwarded-proto'), ['http']);
    assert.deepEqual(valuesOf(fields, 'x-forwarded-host'), ['example.com']);
    assert.deepEqual(valuesOf(fields, 'x-forwarded-port'), ['8080']);
    assert.deepEqual(valuesOf(fields, 'x-request-id'), ['id-1']);
    assert.deepEqual(valuesOf(fields, 'via'), ['1.1 heimdall']);
    assert.deepEqual(valuesOf(fields, 'host'), ['example.com']);
  });

  // A client writes the fields by which backends tell who is asking, in the hope that they are passed on.
  it('overwrite what a stranger says about itself, in every spelling that a gateway may take for the same', () => {
    const lies = ['X-Forwarded-For', 'x-forwarded-FOR', 'X_Forwarded_For', 'X-Forwarded_Host', 'x-forwarded-proto'];
    const fields = request([...lies, 'Forwarded', 'X-Request-ID', 'X_Request_Id'].flatMap((name) => [name, 'lie']));
    assert.ok(!fields.includes('lie'), fields.join(' '));
  });

  it('append to what a trusted proxy says', () => {
    const said = ['X-Forwarded-For', '1.1.1.1', 'X-Forwarded-For', '2.2.2.2', 'X-Forwarded-Proto', 'https'];
    const fields = request([...said, 'X-Forwarded-Port', '443', 'Forwarded', 'for=1.1.1.1'], { trusted: true });
    assert.deepEqual(valuesOf(fields, 'x-forwarded-for'), ['1.1.1.1, 2.2.2.2, 203.0.113.9']);
    assert.deepEqual(valuesOf(fields, 'x-forwarded-proto'), ['https']);
    assert.deepEqual(valuesOf(fields, 'x-forwarded-port'), ['443']);
    assert.deepEqual(valuesOf(fields, 'x-forwarded-host'), ['example.com']);
    assert.deepEqual(valuesOf(fields, 'forwarded'), ['for=1.1.1.1']);
  });

  it('carry no Expect, and of TE only trailers', () => {
    assert.ok(!request(['Expect', '100-continue', 'TE', 'gzip']).some((text) => /expect|^te$/i.test(text)));
    assert.deepEqual(valuesOf(request(['TE', 'gzip;q=0.5, trailers']), 'te'), ['trailers']);
  });

  // Node throws where a Trailer field announces what the framing cannot carry: one request would end the process.
  it('announce trailers only where chunks can carry them', () => {
    assert.deepEqual(valuesOf(request(['Trailer', 'X']), 'trailer'), []);
    assert.deepEqual(valuesOf(request(['Trailer', 'X'], { chunked: true }), 'trailer'), ['X']);
  });

  it('name the host that an HTTP/1.0 request has in its target alone', () => {
    assert.deepEqual(valuesOf(requestFields([], FORWARDING), 'host'), ['example.com']);
    assert.deepEqual(valuesOf(requestFields([], { ...FORWARDING, host: '' }), 'host'), []);
  });

  it('keep Via and traceparent of those before us', () => {
    const fields = request(['Via', '1.1 edge', 'traceparent', '00-1-2-01']);
    assert.deepEqual(valuesOf(fields, 'via'), ['1.1 edge', '1.1 heimdall']);
    assert.deepEqual(valuesOf(fields, 'traceparent'), ['00-1-2-01']);
  });
});

describe('the fields of a response', () => {
  it('keep every Set-Cookie and add ours', () => {
    const fields = response(['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'], { setCookie: 'lb=3' });
    assert.deepEqual(valuesOf(fields, 'set-cookie'), ['a=1', 'b=2', 'lb=3']);
  });

  it('carry the id of the request, not one that the upstream makes up', () => {
    assert.deepEqual(valuesOf(response(['X-Request-Id', 'other']), 'x-request-id'), ['id-1']);
    assert.deepEqual(valuesOf(response([]), 'via'), ['1.1 heimdall']);
  });

  it('have no length where there cannot be one, and no trailers without chunks', () => {
    assert.deepEqual(valuesOf(response(['Content-Length', '5'], { status: 204 }), 'content-length'), []);
    assert.deepEqual(valuesOf(response(['Content-Length', '5'], { status: 304 }), 'content-length'), ['5']);
    assert.deepEqual(valuesOf(response(['Trailer', 'X']), 'trailer'), []);
    assert.deepEqual(valuesOf(response(['Trailer', 'X'], { chunked: true }), 'trailer'), ['X']);
  });
});

describe('trailer fields', () => {
  it('go on, but for those that would change the message after it was read', () => {
    const fields = [
      'X-Checksum',
      'a',
      'Content-Length',
      '5',
      'Transfer-Encoding',
      'x',
      'Set-Cookie',
      'c',
      'X_Forwarded-For',
      '1.2.3.4',
      'X-Checksum',
      'b',
    ];
    assert.deepEqual(trailerFields(fields), [
      ['X-Checksum', 'a'],
      ['X-Checksum', 'b'],
    ]);
  });
});

describe('the id of a request', () => {
  const ids = { make: () => 'new' };

  it('is the client’s when it is one harmless word', () => {
    for (const id of ['abc', '0af7651916cd43dd8448eb211c80319c', 'a-b_c.d:e/f+g=', 'x'.repeat(128)]) {
      assert.equal(requestIdOf(['X-Request-Id', id], ids), id);
    }
  });

  // The id ends up in logs and in other systems' queries.
  it('is a new one when there is none, more than one, or one that could do harm', () => {
    for (const id of ['', 'a b', 'a\tb', '<script>', '"; DROP', 'x'.repeat(129), 'ä']) {
      assert.equal(requestIdOf(['X-Request-Id', id], ids), 'new', id);
    }
    assert.equal(requestIdOf(['X-Request-Id', 'a', 'x-request-id', 'b'], ids), 'new');
    assert.equal(requestIdOf([], ids), 'new');
  });
});
