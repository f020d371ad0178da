import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ChunkedFault, ChunkedScanner } from '../../../../internal/proxy/wire/chunked-scanner.ts';

interface Scanned {
  readonly fault: ChunkedFault | null;
  readonly done: boolean;
  /** Octets that were read as part of the framed body. */
  readonly consumed: number;
  readonly payload: string;
  readonly size: number;
}

/** @param cuts - how long the pieces are, one after the other; the last one is the rest. */
function scan(text: string, cuts: readonly number[] = [], scanner = new ChunkedScanner()): Scanned {
  const octets = Buffer.from(text, 'latin1');
  let payload = '';
  let consumed = 0;
  for (const cut of [...cuts, octets.length]) {
    const end = Math.min(consumed + cut, octets.length);
    // Each piece somewhere else in a buffer of its own, as it comes from a socket.
    const piece = Buffer.concat([Buffer.from('--'), octets.subarray(consumed, end), Buffer.from('--')]);
    const after = scanner.scan(piece, 2, piece.length - 2, (from, to) => {
      payload += piece.toString('latin1', from, to);
    });
    const whole = after === piece.length - 2;
    consumed += after - 2;
    if (!whole) break;
  }
  return { fault: scanner.fault, done: scanner.done, consumed, payload, size: scanner.size };
}

function faultOf(text: string): ChunkedFault | null {
  const whole = scan(text);
  assert.deepEqual(scan(text, Array<number>(text.length).fill(1)), whole, 'octet by octet it reads otherwise');
  return whole.fault;
}

describe('the scanner of chunked bodies', () => {
  it('reads sizes, data and the last line, and stops before the trailer section', () => {
    const text = '5\r\nhello\r\n00b\r\n, \r\nworld\r\n\r\n0\r\nX-Sum: 1\r\n\r\n';
    const read = scan(text);
    assert.equal(read.payload, 'hello, \r\nworld\r\n');
    assert.equal(read.size, 16);
    assert.equal(read.done, true);
    assert.equal(text.slice(read.consumed), 'X-Sum: 1\r\n\r\n');
  });

  it('takes the next body after a reset, whatever came before', () => {
    const scanner = new ChunkedScanner();
    for (const text of ['3;a=b\r\nabc\r\n0\r\n', 'zz', '5;x="', '2\r\na', '2\r\nok\r\n0\r\n']) {
      scanner.reset();
      assert.deepEqual(scan(text, [], scanner), scan(text));
    }
  });

  it('reads nothing any more after a fault or the end', () => {
    for (const text of ['x', '0\r\n']) {
      const scanner = new ChunkedScanner();
      scan(text, [], scanner);
      assert.equal(scanner.scan(Buffer.from('5\r\nhello'), 0, 8, null), 0);
      assert.equal(scanner.size, 0);
    }
  });

  it('knows sizes up to 2^53 - 1 exactly, in either case', () => {
    const scanner = new ChunkedScanner();
    const line = Buffer.from('001FfFfFFfFFFfFF\r\nab');
    assert.equal(scanner.scan(line, 0, line.length, null), line.length);
    assert.deepEqual([scanner.fault, scanner.size], [null, 2]);
  });

  it('does not look at the data', () => {
    const data = '0\r\n\r\n\n\rGET / HTTP/1.1\r\n\x00';
    assert.equal(scan(`${data.length.toString(16)}\r\n${data}\r\n0\r\n`).payload, data);
  });

  it('allows extensions as RFC 9112 writes them', () => {
    for (const extension of [';a', ';a=b', ';a=b;c;d="e f"', ';a="\\"\\\\;\t\xff"', ';a=""', ';!#=*']) {
      assert.equal(faultOf(`1${extension}\r\nx\r\n0${extension}\r\n`), null, extension);
    }
  });

  // Chunk smuggling: one program reads "+5", "0x5", "5 " or "5_0" as another size than the next program does, and what
  // one takes for data becomes a request for the other.
  it('refuses every size that is not plain hexadecimal digits', () => {
    const refused: Readonly<Record<string, ChunkedFault>> = {
      '\r\n': 'chunk-size-missing',
      ';a\r\n': 'chunk-size-missing',
      ' 5\r\n': 'chunk-size-invalid',
      '\t5\r\n': 'chunk-size-invalid',
      '5 \r\n': 'chunk-size-invalid',
      '5\t\r\n': 'chunk-size-invalid',
      '5\x0b\r\n': 'chunk-size-invalid',
      '5 ;a\r\n': 'chunk-size-invalid',
      '+5\r\n': 'chunk-size-invalid',
      '-5\r\n': 'chunk-size-invalid',
      '0x5\r\n': 'chunk-size-invalid',
      '5h\r\n': 'chunk-size-invalid',
      '5_0\r\n': 'chunk-size-invalid',
      '5.0\r\n': 'chunk-size-invalid',
      '"5"\r\n': 'chunk-size-invalid',
      '5,5\r\n': 'chunk-size-invalid',
      '\x005\r\n': 'chunk-size-invalid',
      '\xb2\r\n': 'chunk-size-invalid',
      'g\r\n': 'chunk-size-invalid',
    };
    for (const [line, fault] of Object.entries(refused)) assert.equal(faultOf(line), fault, JSON.stringify(line));
  });

  // Chunk overflow: a size that wraps around in 32 or 64 bits is small for one program and huge for the next.
  it('refuses sizes that others may cut off', () => {
    for (const size of ['20000000000000', 'ffffffffffffffff', '10000000000000005', '00000000000000005']) {
      assert.equal(faultOf(`${size}\r\n`), 'chunk-size-too-large', size);
    }
    assert.equal(faultOf('0000000000000005\r\nhello\r\n0\r\n'), null);
  });

  // TERM.EXT and EXT.TERM (2025): one program ends a size's line at a bare LF or CR inside of an extension, the next
  // one does not, and the rest of the line is a chunk to it.
  it('refuses line ends other than CRLF, in and after extensions, too', () => {
    for (const line of [
      '5\n',
      '5\rhello',
      '5\r\r\n',
      '5;\n',
      '5;a\n',
      '5;a=\n',
      '5;a="\n"',
      '5;a="\\\n"',
      '5;a\rX',
      '0\n',
    ]) {
      assert.equal(faultOf(line), 'chunk-line-end-invalid', JSON.stringify(line));
    }
    assert.equal(faultOf('\n5\r\n'), 'chunk-line-end-invalid');
  });

  it('refuses what is no extension', () => {
    const lines = [
      '5;\r\n',
      '5;;a\r\n',
      '5; a\r\n',
      '5;a \r\n',
      '5;a =b\r\n',
      '5;a= b\r\n',
      '5;a=\r\n',
      '5;=b\r\n',
      '5;a=b=c\r\n',
      '5;a="b"c\r\n',
      '5;a="b\r\n',
      '5;a="\\\r\n',
      '5;a="\x00"\r\n',
      '5;a="\\\x7f"\r\n',
      '5;a\x00\r\n',
      '5;\xff\r\n',
    ];
    for (const line of lines) assert.equal(faultOf(line), 'chunk-extension-invalid', JSON.stringify(line));
  });

  // Octets that carry nothing: a client keeps a connection busy with extensions, of which no limit for bodies takes note.
  it('limits the extensions of a line and those of a message', () => {
    assert.equal(faultOf(`1;${'a'.repeat(255)}\r\nx\r\n0\r\n`), null);
    assert.equal(faultOf(`1;${'a'.repeat(256)}\r\n`), 'chunk-extension-too-long');
    assert.equal(faultOf(`1;a="${'b'.repeat(300)}`), 'chunk-extension-too-long');
    const chunk = `1;${'a'.repeat(255)}\r\nx\r\n`;
    assert.equal(faultOf(`${chunk.repeat(16)}0\r\n`), null);
    assert.equal(faultOf(`${chunk.repeat(16)}0;`), 'chunk-extension-too-long');
  });

  // The size lies: what follows the data would be read as a line of the next chunk by one, as data by another.
  it('refuses data that does not end where its size says', () => {
    for (const text of ['4\r\nhello\r\n', '6\r\nhello\r\n0\r\n', '5\r\nhello\n', '5\r\nhello\rX', '5\r\nhello0\r\n']) {
      assert.equal(faultOf(text), 'chunk-data-end-invalid', JSON.stringify(text));
    }
  });

  it('tells the index of the octet that is wrong, and counts nothing behind it as payload', () => {
    const text = '2\r\nok\r\n5x\r\nhello';
    assert.deepEqual(scan(text), { fault: 'chunk-size-invalid', done: false, consumed: 8, payload: 'ok', size: 2 });
  });

  it('reads any pieces as it reads the whole', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'0159afF;="\\ \r\n\t\x00x'), maxLength: 12 });
    const chunk = fc
      .tuple(
        fc.string({ unit: fc.constantFrom(...'ab\r\n'), minLength: 1, maxLength: 20 }),
        fc.constantFrom('', ';a', ';a="b"'),
      )
      .map(([data, extension]) => `${data.length.toString(16)}${extension}\r\n${data}\r\n`);
    const body = fc
      .tuple(fc.array(chunk, { maxLength: 4 }), noise, fc.constantFrom('0\r\n', '0\r\nX: y\r\n\r\n', ''))
      .map(([chunks, odd, end]) => chunks.join('') + odd + end);
    fc.assert(
      fc.property(body, fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 60 }), (text, cuts) => {
        assert.deepEqual(scan(text, cuts), scan(text));
      }),
      { numRuns: 500 },
    );
  });

  it('returns the payload of whatever chunks a sender makes', () => {
    const chunks = fc.array(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 300 }), { maxLength: 8 });
    fc.assert(
      fc.property(chunks, (parts) => {
        const framed = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
        const read = scan(`${framed}0\r\n`);
        assert.deepEqual([read.payload, read.done, read.consumed], [parts.join(''), true, framed.length + 3]);
      }),
    );
  });
});
