import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EventParser } from '../../../internal/client/event-parser.ts';

function parse(...pieces: readonly string[]) {
  const parser = new EventParser();
  return pieces.flatMap((piece) => parser.push(piece));
}

describe('server-sent events', () => {
  for (const [what, text, events] of [
    ['have a name and data', 'event: a\ndata: b\n\n', [['a', 'b']]],
    ['are messages without a name', 'data: b\n\n', [['message', 'b']]],
    [
      'may have several lines of data',
      'data: one\ndata:two\ndata\ndata:  three\n\n',
      [['message', 'one\ntwo\n\n three']],
    ],
    [
      'end their lines in three ways',
      'event: a\rdata: 1\r\rdata: 2\r\n\r\ndata: 3\n\n',
      [
        ['a', '1'],
        ['message', '2'],
        ['message', '3'],
      ],
    ],
    ['are none without data', 'event: a\n\ndata: b\n\n', [['message', 'b']]],
    [
      'may have empty data',
      'data\n\ndata:\n\n',
      [
        ['message', ''],
        ['message', ''],
      ],
    ],
    [
      'are told from comments and unknown fields',
      ': hello\n:\nid: 7\nretry: 10\nDATA: x\n data: x\ndata: b\n\n',
      [['message', 'b']],
    ],
    ['keep colons in their data', 'data: a: b:c\n\n', [['message', 'a: b:c']]],
    ['are given up when the stream ends in their midst', 'data: a\n\ndata: b\n', [['message', 'a']]],
    ['keep other kinds of line ends as text', 'data: a\u2028b\u0085c\n\n', [['message', 'a\u2028b\u0085c']]],
  ] as const) {
    it(what, () => {
      assert.deepEqual(
        parse(text).map(({ event, data }) => [event, data]),
        events,
      );
    });
  }

  it('are the same wherever the stream is cut', () => {
    const line = fc.constantFrom('data: a', 'data', 'data:b', 'event: e', ': c', '', '', 'id: 1');
    const streams = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n'))).map((lines) => lines.flat().join(''));
    fc.assert(
      fc.property(streams, fc.array(fc.nat(200)), (text, cuts) => {
        const at = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
        const pieces = at.slice(1).map((end, i) => text.slice(at[i], end));
        assert.deepEqual(parse(...pieces), parse(text));
      }),
    );
  });
});
