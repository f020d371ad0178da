import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HeadFault } from '../../../../internal/proxy/wire/head-parser.ts';
import { headFault, type HeadKind, readHead } from '../../../support/wire-head.ts';

const GET = 'GET / HTTP/1.1\r\n';
const OK = 'HTTP/1.1 200 OK\r\n';

type Refusals = Readonly<Partial<Record<HeadFault, readonly string[]>>>;

function refuses(kind: HeadKind, refusals: Refusals, finish = (text: string) => text): void {
  for (const [fault, texts] of Object.entries(refusals)) {
    for (const text of texts) assert.equal(headFault(kind, finish(text)), fault, JSON.stringify(text));
  }
}

describe('the head parser refuses', () => {
  // Request smuggling begins with a line that two programs split at different places: each of these is a known way.
  it('fields that can be read in two ways', () => {
    refuses(
      'request',
      {
        'space-before-colon': ['Transfer-Encoding : chunked', 'Host\t: a', 'a b: c', 'a b'],
        'line-folding': ['A: b\r\n c', 'A: b\r\n\tc: d', ' A: b', '\tA: b'],
        'bare-lf': ['A: b\nC: d', 'A\nB: c', 'A:\nB: c', '\nA: b', 'A: b\r\n\nC: d'],
        'bare-cr': ['A: b\rC: d', 'A: b\r\rC: d', '\rA: b', 'A:\rB: c'],
        'control-character': ['A: b\x00c', 'A: \x0bchunked', 'A: b\x7f', 'A:\x01', 'A: \x1b[0m'],
        'field-name-invalid': [
          ': b',
          'A\x00: b',
          'A\x7f: b',
          'A\xa0: b',
          'A(: b',
          '"A": b',
          'A@b: c',
          'A/B: c',
          'A{}: b',
        ],
        'colon-missing': ['A', 'GET'],
      },
      (lines) => `${GET}${lines}\r\n\r\n`,
    );
  });

  it('the same in responses and trailers', () => {
    const refusals: Refusals = {
      'space-before-colon': ['Content-Length : 5'],
      'line-folding': ['A: b\r\n c'],
      'bare-lf': ['A: b\nC: d'],
      'bare-cr': ['A: b\rC: d'],
      'control-character': ['A: b\x00c'],
      'field-name-invalid': [': b'],
      'colon-missing': ['A'],
    };
    refuses('response', refusals, (lines) => `${OK}${lines}\r\n\r\n`);
    refuses('trailers', refusals, (lines) => `${lines}\r\n\r\n`);
  });

  it('the end of a head that is not CRLF twice', () => {
    assert.equal(headFault('request', `${GET}A: b\r\n\n`), 'bare-lf');
    assert.equal(headFault('request', `${GET}A: b\n\n`), 'bare-lf');
    assert.equal(headFault('request', `${GET}A: b\r\n\r`), null);
    assert.equal(headFault('request', `${GET}A: b\r\n\rX`), 'bare-cr');
  });

  it('request lines that are not three parts with one space between them', () => {
    refuses(
      'request',
      {
        'method-invalid': [
          ' GET / HTTP/1.1',
          '\tGET / HTTP/1.1',
          'G\x00T / HTTP/1.1',
          'GET:/ HTTP/1.1',
          'GET\t/ HTTP/1.1',
          'GET',
          '\x16\x03\x01',
          '\xef\xbb\xbfGET / HTTP/1.1',
          `${'A'.repeat(65)} / HTTP/1.1`,
        ],
        'start-line-invalid': [
          'GET  / HTTP/1.1',
          'GET /  HTTP/1.1',
          'GET / HTTP/1.1 ',
          'GET / b HTTP/1.1',
          'GET / http/1.1',
          'GET / FOO',
          'GET / HTTP/1,1',
          'GET / HTTP/ 1.1',
          'GET / HTTP/1.10',
          'GET / HTTP/1.x',
          'GET / HTTPS/1.1',
          'GET / ',
        ],
        'version-unsupported': [
          'GET /',
          'GET / HTTP/2.0',
          'GET / HTTP/0.9',
          'GET / HTTP/1.2',
          'GET / HTTP/1.9',
          'GET / HTTP/3',
          'GET / HTTP/01.1',
        ],
        'target-invalid': [
          'GET /a#b HTTP/1.1',
          'GET /a\tb HTTP/1.1',
          'GET /\x00 HTTP/1.1',
          'GET /\x7f HTTP/1.1',
          'GET /\xe9 HTTP/1.1',
          'GET /\x0b HTTP/1.1',
        ],
        'bare-lf': [
          'GET / HTTP/1.1\nHost: a',
          'GET /\nHost: a',
          'GET\n',
          '\nGET / HTTP/1.1',
          'GET / HTTP/1\n',
          'GET / \n',
        ],
        'bare-cr': ['GET / HTTP/1.1\rHost: a', '\rGET / HTTP/1.1'],
      },
      (line) => `${line}\r\nHost: a\r\n\r\n`,
    );
  });

  it('status lines that are none', () => {
    refuses(
      'response',
      {
        'start-line-invalid': [
          ' HTTP/1.1 200 OK',
          'http/1.1 200 OK',
          'HTTP/1.1\t200 OK',
          'HTTP/1.1',
          '220 mail ESMTP',
          'ICY 200 OK',
          'HTTP/1.11 200 OK',
        ],
        'version-unsupported': ['HTTP/2.0 200 OK', 'HTTP/0.9 200 OK', 'HTTP/1.2 200 OK'],
        'status-invalid': [
          'HTTP/1.1 ',
          'HTTP/1.1  200 OK',
          'HTTP/1.1 20 OK',
          'HTTP/1.1 2000 OK',
          'HTTP/1.1 099 OK',
          'HTTP/1.1 000 OK',
          'HTTP/1.1 +20 OK',
          'HTTP/1.1 2 0 OK',
          'HTTP/1.1 200\tOK',
          'HTTP/1.1 0xc OK',
        ],
        'control-character': ['HTTP/1.1 200 O\x00K', 'HTTP/1.1 200 O\x7fK', 'HTTP/1.1 200 \x1b[31m'],
        'bare-lf': ['HTTP/1.1 200 OK\nA: b', 'HTTP/1.1 200\n', 'HTTP/1.1 20\n', 'HTTP/1.1\n', '\nHTTP/1.1 200 OK'],
        'bare-cr': ['HTTP/1.1 200 OK\rA: b', 'HTTP/1.1 200\rA'],
      },
      (line) => `${line}\r\nA: b\r\n\r\n`,
    );
  });

  // A client without end: the head grows and grows, and with it the memory of the proxy.
  it('heads, targets and fields beyond their limits, and nothing at the limits', () => {
    const limits = { head: 200, fields: 3, target: 20 };
    const head = (length: number) => `${GET}X: ${'x'.repeat(length - GET.length - 7)}\r\n\r\n`;
    assert.equal(readHead('request', head(200), [], limits).length, 200);
    assert.equal(headFault('request', head(201), limits), 'head-too-large');
    assert.equal(headFault('response', `${OK}X: ${'x'.repeat(10_000)}`, limits), 'head-too-large');
    assert.equal(headFault('trailers', `X: ${'x'.repeat(10_000)}`, limits), 'head-too-large');
    const fields = (count: number) => `${GET}${'A: b\r\n'.repeat(count)}\r\n`;
    assert.equal(headFault('request', fields(3), limits), null);
    assert.equal(headFault('request', fields(4), limits), 'too-many-fields');
    const target = (length: number) => `GET /${'a'.repeat(length - 1)} HTTP/1.1\r\n\r\n`;
    assert.equal(headFault('request', target(20), limits), null);
    assert.equal(headFault('request', target(21), limits), 'target-too-long');
    assert.equal(headFault('request', `GET /${'a'.repeat(5_000)}`, limits), 'target-too-long');
    assert.equal(headFault('request', 'A'.repeat(65), limits), 'method-invalid');
  });

  it('octets after the head by no means: they belong to the body', () => {
    const text = `${GET}A: b\r\n\r\n`;
    assert.equal(readHead('request', `${text}${'\x00\n\r'.repeat(10_000)}`).length, text.length);
  });
});
