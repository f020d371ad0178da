import fc from 'fast-check';
import { eol, field, fields, type Text, usually } from './grammar-fields.ts';

/** Adds fields and a body; most times they agree about each other. */
export function framed(start: string, isRequest: boolean): Text {
  const payload = fc.string({
    unit: fc.constantFrom('a', 'b', '\r\n', '0', '\xff', '\x00', 'GET / HTTP/1.1\r\n\r\n'),
    maxLength: 12,
  });
  return fc
    .tuple(fc.constantFrom('none', 'length', 'chunked', 'both'), payload, fields(), fc.nat())
    .chain(([kind, body, lines, at]) => {
      const before = lines.slice(0, at % (lines.length + 1)).join('');
      const after = lines.slice(at % (lines.length + 1)).join('');
      const framing = {
        none: fc.constant(''),
        length: lengthField(body.length),
        chunked: codingField(),
        both: fc.tuple(lengthField(body.length), codingField()).map((both) => both.join('')),
      }[kind];
      const content = {
        none: fc.constant(isRequest ? '' : body),
        length: fc.constant(body),
        chunked: chunked(body),
        both: chunked(body),
      }[kind];
      return fc
        .tuple(framing, eol(), content)
        .map(([field, end, octets]) => `${start}${before}${field}${after}${end}${octets}`);
    });
}

function lengthField(length: number): Text {
  const odd = fc.constantFrom(
    `0${length}`,
    `+${length}`,
    `${length} `,
    `${length},${length}`,
    `0x${length}`,
    '',
    '5',
    '-1',
    '99999999999999999999',
    `${length}\x00`,
    `\x0b${length}`,
  );
  return field('Content-Length', usually(String(length), odd));
}

function codingField(): Text {
  return field(
    'Transfer-Encoding',
    usually(
      'chunked',
      fc.constantFrom(
        'Chunked',
        'chunked ',
        'gzip, chunked',
        'chunked, gzip',
        ',chunked',
        'xchunked',
        'identity',
        '',
        '\x0bchunked',
        'chunked;a',
      ),
    ),
  );
}

function chunked(body: string): Text {
  const hex = (length: number) =>
    usually(
      length.toString(16),
      fc.constantFrom(
        `0${length.toString(16)}`,
        length.toString(16).toUpperCase(),
        ` ${length}`,
        `${length} `,
        `+${length}`,
        `0x${length}`,
        '',
        'g',
        'ffffffffffffffff1',
      ),
    );
  const extension = usually(
    '',
    fc.constantFrom(
      ';a',
      ';a=b',
      ';a="b\\"c"',
      ';',
      ';a=',
      ';a="b',
      ' ;a',
      ';a\n',
      ';a="\n"',
      ';=',
      ';a;b',
      ';\xff',
      ';a=b"c"',
      ';a=""',
    ),
  );
  const chunk = (data: string) =>
    fc
      .tuple(hex(data.length), extension, eol(), eol())
      .map(([size, ext, end, last]) => `${size}${ext}${end}${data}${last}`);
  const last = fc
    .tuple(
      usually('0', fc.constantFrom('00', '', '0 ')),
      extension,
      eol(),
      usually(
        '',
        fields().map((lines) => lines.join('')),
      ),
      eol(),
    )
    .map((parts) => parts.join(''));
  const half = Math.ceil(body.length / 2);
  const parts = [body.slice(0, half), body.slice(half)].filter((part) => part !== '');
  return fc.tuple(fc.tuple(...parts.map(chunk)), last).map(([chunks, end]) => chunks.join('') + end);
}
