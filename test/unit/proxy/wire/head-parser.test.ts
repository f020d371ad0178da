import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FIELD } from '../../../../internal/proxy/wire/field-kinds.ts';
import { HeadParser } from '../../../../internal/proxy/wire/head-parser.ts';
import { headFault, LIMITS, parsedHead, readHead, scanPieces } from '../../../support/wire-head.ts';

const GET = 'GET / HTTP/1.1\r\n';
const OK = 'HTTP/1.1 200 OK\r\n';

describe('the head parser reads', () => {
  it('requests: method, target, version, and fields in their order with all their values', () => {
    const text = 'PUT /a?b=%20&c HTTP/1.1\r\nHost: x\r\nx-A:1\r\nX-a: \t2 3\t \r\nEmpty:\r\nBlank: \t \r\n\r\n';
    assert.deepEqual(readHead('request', `${text}rest`), {
      fault: null,
      length: text.length,
      startLine: ['PUT', '/a?b=%20&c'],
      minorVersion: 1,
      fields: [
        ['Host', 'x'],
        ['x-A', '1'],
        ['X-a', '2 3'],
        ['Empty', ''],
        ['Blank', ''],
      ],
    });
  });

  it('responses: status and reason, whatever octets that has', () => {
    const text = 'HTTP/1.0 404 Nicht gefunden:\t\xfc\r\nServer: x\r\n\r\n';
    assert.deepEqual(readHead('response', text), {
      fault: null,
      length: text.length,
      startLine: [404, 'Nicht gefunden:\t\xfc'],
      minorVersion: 0,
      fields: [['Server', 'x']],
    });
    for (const line of ['HTTP/1.1 200 ', 'HTTP/1.1 200']) {
      assert.deepEqual(readHead('response', `${line}\r\n\r\n`).startLine, [200, ''], line);
    }
  });

  it('trailer sections: fields alone, or none', () => {
    assert.deepEqual(readHead('trailers', 'X-Sum: 1\r\n\r\nGET').fields, [['X-Sum', '1']]);
    assert.equal(readHead('trailers', '\r\nGET').length, 2);
  });

  it('values with octets above 127, quotes, commas and colons as they are', () => {
    const value = '"a, b": \xe9\xff; c\t=\\"d\\"';
    assert.deepEqual(readHead('request', `${GET}X: ${value}\r\n\r\n`).fields, [['X', value]]);
  });

  it('methods and names of every character that a token may have', () => {
    const token = "!#$%&'*+-.^_`|~09azAZ";
    const { startLine, fields } = readHead('request', `${token} / HTTP/1.1\r\n${token}: 1\r\n\r\n`);
    assert.deepEqual([startLine[0], fields], [token, [[token, '1']]]);
  });

  it('one empty line before a request, and no more', () => {
    const { startLine, length } = readHead('request', `\r\n${GET}\r\n`);
    assert.deepEqual([startLine, length], [['GET', '/'], GET.length + 4]);
    assert.equal(headFault('request', `\r\n\r\n${GET}\r\n`), 'method-invalid');
    assert.equal(headFault('response', `\r\n${OK}\r\n`), 'start-line-invalid');
  });

  it('one head after the other, none of which leaves anything to the next', () => {
    const parser = new HeadParser('request', LIMITS);
    const many = Array.from({ length: 80 }, (_, i) => `X-${i}: ${i}\r\n`).join('');
    for (const text of [`${GET}Host: a\r\nTE: trailers\r\n\r\n`, 'GET /\r\n', `${GET}${many}\r\n`, `${GET}\r\n`]) {
      for (const cuts of [[], [3, 9, 1]]) {
        parser.reset(LIMITS);
        assert.equal(parser.begun, false);
        const length = scanPieces(parser, text, cuts);
        const fresh = readHead('request', text);
        assert.deepEqual(
          [length, parser.fault, length === -1 ? 0 : parser.count],
          [fresh.length, fresh.fault, fresh.fields.length],
        );
      }
    }
    assert.equal(parser.has(FIELD.te), false);
  });

  it('many fields: the last one as exactly as the first one', () => {
    const names = Array.from({ length: 100 }, (_, i) => [`X-${i}`, `v${i}`] as const);
    const text = `${GET}${names.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    assert.deepEqual(readHead('request', text).fields, names);
    assert.deepEqual(readHead('request', text, Array<number>(text.length).fill(1)).fields, names);
  });

  it('where each line is, so that lines can go on byte for byte', () => {
    const text = `${GET}Host:x\r\nA:  1\r\n\r\n`;
    const head = parsedHead('request', text);
    assert.equal(text.slice(head.lineStart(0), head.lineStart(1)), 'Host:x\r\n');
    assert.equal(text.slice(head.lineStart(1), head.lineStart(2)), 'A:  1\r\n');
    assert.equal(text.slice(head.lineStart(2)), '\r\n');
  });

  it('which fields are there, in any case, and nothing into names that only resemble one', () => {
    const head = parsedHead(
      'request',
      `${GET}hOST: x\r\nHosts: y\r\nTransfer_Encoding: z\r\nX_Forwarded_For: 1\r\n\r\n`,
    );
    assert.deepEqual([head.has(FIELD.host), head.first(FIELD.host)], [true, 'x']);
    assert.equal(head.first(FIELD.transferEncoding), undefined);
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => head.kindOf(i)),
      [FIELD.host, FIELD.other, FIELD.disguised, FIELD.disguised],
    );
  });
});

describe('the head parser reads any pieces as it reads the whole', () => {
  const octet = fc.constantFrom(...'aZ09:-_ \t\r\n\x00\x7f\xff#/?*"', '\r\n', 'HTTP/1.1', 'HTTP/1.0', ' 200 ');
  const noise = fc.array(octet, { maxLength: 6 }).map((parts) => parts.join(''));
  const field = fc.constantFrom(
    'A: b\r\n',
    'Host: x\r\n',
    'Long: '.padEnd(60, 'x').concat('\r\n'),
    'E:\r\n',
    'T: a \t\r\n',
  );
  const lines = fc.array(field, { maxLength: 8 }).map((fields) => fields.join(''));
  const starts = { request: [GET, '\r\nPOST /x HTTP/1.0\r\n'], response: [OK, 'HTTP/1.0 304\r\n'], trailers: [''] };

  for (const kind of ['request', 'response', 'trailers'] as const) {
    it(`of ${kind}, right or wrong, within and beyond its limits`, () => {
      const text = fc
        .tuple(noise, fc.constantFrom(...starts[kind]), lines, noise, lines, noise)
        .map(([before, start, some, odd, more, after]) => `${before}${start}${some}${odd}${more}\r\n${after}`);
      const start = fc.tuple(fc.constantFrom(...starts[kind]), lines).map((parts) => `${parts.join('')}\r\nrest`);
      const limits = fc.constantFrom(LIMITS, { head: 90, fields: 4, target: 1 });
      const cuts = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 });
      fc.assert(
        fc.property(fc.oneof(text, start), cuts, limits, (message, cut, limit) => {
          assert.deepEqual(readHead(kind, message, cut, limit), readHead(kind, message, [], limit));
        }),
        { numRuns: 600 },
      );
    });
  }
});
