import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BodyReader } from '../../../../internal/proxy/wire/body-reader.ts';
import type { Framing } from '../../../../internal/proxy/wire/framing.ts';
import { LIMITS } from '../../../support/wire-head.ts';

interface ReadBody {
  /** What goes on to the next hop. */
  readonly relayed: string;
  readonly payload: string;
  readonly size: number;
  readonly done: boolean;
  readonly fault: string | null;
  /** What comes after the body. */
  readonly rest: string;
}

function read(framing: Framing, length: number, text: string, step = text.length, reader = new BodyReader()): ReadBody {
  reader.begin(framing, length, LIMITS);
  const octets = Buffer.from(text, 'latin1');
  let relayed = '';
  let payload = '';
  let at = 0;
  while (at < octets.length && !reader.done && reader.fault === null) {
    const end = Math.min(at + step, octets.length);
    const after = reader.read(octets, at, end, (from, to) => {
      payload += octets.toString('latin1', from, to);
    });
    relayed += octets.toString('latin1', at, reader.relayEnd);
    at = after;
  }
  if (reader.done) relayed += reader.tail;
  return { relayed, payload, size: reader.size, done: reader.done, fault: reader.fault, rest: text.slice(at) };
}

describe('the reader of bodies', () => {
  it('takes as many octets as announced, and leaves the next message alone', () => {
    for (const step of [1, 3, 100]) {
      const body = read('length', 5, 'helloGET /', step);
      assert.deepEqual(
        [body.relayed, body.payload, body.size, body.done, body.rest],
        ['hello', 'hello', 5, true, 'GET /'],
      );
    }
  });

  it('relays chunks as they are', () => {
    const chunks = '5;a=b\r\nhello\r\n00\r\n';
    for (const step of [1, 2, 3, 7, 100]) {
      const body = read('chunked', -1, `${chunks}\r\nGET /`, step);
      assert.deepEqual([body.relayed, body.payload, body.done, body.rest], [`${chunks}\r\n`, 'hello', true, 'GET /']);
    }
  });

  // A field in the trailers that changes what the message is: a length, a host, a cookie that nobody checked.
  it('lets trailer fields pass but for those that would change the message after it was read', () => {
    const trailers = 'X-Sum: 1\r\nContent-Length: 9\r\nHost: b\r\nTransfer-Encoding: x\r\nX-More:\t2 \r\n\r\n';
    for (const step of [1, 5, 200]) {
      const body = read('chunked', -1, `0\r\n${trailers}GET /`, step);
      assert.deepEqual([body.relayed, body.rest], ['0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n', 'GET /']);
    }
  });

  it('refuses chunks and trailers that are not framed exactly', () => {
    assert.equal(read('chunked', -1, '5\r\nhello0\r\n\r\n').fault, 'chunk-data-end-invalid');
    assert.equal(read('chunked', -1, '0\r\nA: b\n\r\n').fault, 'bare-lf');
    assert.equal(read('chunked', -1, '0\r\n\n').fault, 'bare-lf');
    assert.equal(read('chunked', -1, '0\r\nA : b\r\n\r\n').fault, 'space-before-colon');
    assert.equal(read('chunked', -1, `0\r\nA: ${'b'.repeat(LIMITS.head)}`).fault, 'head-too-large');
    for (const text of ['0\r\nGET / HTTP/1.1\r\n\r\n', '0\r\n0\r\n\r\n']) {
      assert.equal(read('chunked', -1, text, 1).done, false, text);
    }
  });

  it('knows a body that broke off from one that ended', () => {
    const reader = new BodyReader();
    const cases: readonly (readonly [Framing, number, string, boolean])[] = [
      ['until-close', 0, 'any', true],
      ['length', 5, 'hell', false],
      ['chunked', -1, '5\r\nhello\r\n0\r\n', false],
      ['chunked', -1, '5\r\nhello\r\n0\r\n\r\n', true],
      ['none', 0, '', true],
    ];
    for (const [framing, length, text, ended] of cases) {
      read(framing, length, text, 2, reader);
      assert.equal(reader.end(), ended, `${framing} ${JSON.stringify(text)}`);
    }
  });
});
