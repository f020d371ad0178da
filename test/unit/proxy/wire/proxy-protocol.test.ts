import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../../../internal/proxy/wire/crc32c.ts';
import {
  type ProxiedConnection,
  type ProxyProtocolFault,
  ProxyProtocolReader,
} from '../../../../internal/proxy/wire/proxy-protocol.ts';

interface Read {
  /** Octets of the header; -1 when it is not complete. */
  readonly length: number;
  readonly fault: ProxyProtocolFault | null;
  readonly connection: ProxiedConnection | null;
}

const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
const IPV4 = '0a000001 0a000002 d431 01bb';
const IPV6 = '20010db8000000000000000000000001 20010db8000000000000000000000002 d431 01bb';

function read(octets: Buffer, cuts: readonly number[] = []): Read {
  const reader = new ProxyProtocolReader();
  let start = 0;
  for (const cut of [...cuts, octets.length]) {
    const end = Math.min(start + cut, octets.length);
    const after = reader.scan(octets, start, end);
    if (after !== -1) return { length: after, fault: null, connection: reader.connection };
    if (reader.fault !== null) break;
    start = end;
  }
  return { length: -1, fault: reader.fault, connection: null };
}

function line(text: string): Read {
  const octets = Buffer.from(text, 'latin1');
  const whole = read(octets);
  assert.deepEqual(read(octets, Array<number>(octets.length).fill(1)), whole, 'octet by octet it reads otherwise');
  return whole;
}

/** A header of version 2. @param body - hexadecimal; what follows the fixed part. */
function binary(command: number, family: number, body: string, length?: number): Buffer {
  const rest = Buffer.from(body.replaceAll(' ', ''), 'hex');
  const fixed = Buffer.from('\r\n\r\n\0\r\nQUIT\n\0\0\0\0', 'latin1');
  fixed[12] = command;
  fixed[13] = family;
  fixed.writeUInt16BE(length ?? rest.length, 14);
  return Buffer.concat([fixed, rest]);
}

function value(type: number, octets: Buffer): string {
  const head = Buffer.alloc(3);
  head[0] = type;
  head.writeUInt16BE(octets.length, 1);
  return Buffer.concat([head, octets]).toString('hex');
}

function signed(header: Buffer): Buffer {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32c(header));
  return Buffer.concat([header.subarray(0, -4), checksum]);
}

describe('the PROXY protocol, version 1', () => {
  it('tells who is connected to whom', () => {
    const header = 'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n';
    const expected = {
      length: header.length,
      fault: null,
      connection: {
        source: { address: '192.168.0.1', port: 56_324 },
        destination: { address: '192.168.0.11', port: 443 },
      },
    };
    assert.deepEqual(line(header), expected);
    assert.deepEqual(read(Buffer.concat([Buffer.from(header), REQUEST])), expected);
  });

  it('writes IPv6 addresses in one way', () => {
    const { connection } = line('PROXY TCP6 2001:DB8:0:0:0:0:0:1 ::ffff:10.0.0.9 0 65535\r\n');
    assert.deepEqual(connection?.source, { address: '2001:db8::1', port: 0 });
    assert.deepEqual(connection?.destination, { address: '10.0.0.9', port: 65_535 });
  });

  it('leaves the connection its own addresses when the sender cannot tell', () => {
    for (const header of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::1 whatever 1 2 3\r\n']) {
      assert.deepEqual(line(header), { length: header.length, fault: null, connection: null });
    }
  });

  it('waits for the whole line', () => {
    for (const part of ['P', 'PROXY ', 'PROXY TCP4 1.2.3.4 1.2.3.5 1 2', 'PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r']) {
      assert.deepEqual(line(part), { length: -1, fault: null, connection: null }, part);
    }
  });

  it('takes lines of 107 octets and none longer', () => {
    const padded = (length: number) => `PROXY UNKNOWN ${'x'.repeat(length - 16)}\r\n`;
    assert.equal(line(padded(107)).length, 107);
    assert.equal(line(padded(108)).fault, 'proxy-line-too-long');
    assert.equal(line(padded(5_000)).fault, 'proxy-line-too-long');
  });

  // A client that may say who it is hides behind any address: what is no header, or nearly one, must not pass.
  it('refuses every line that is not exactly one', () => {
    const refused: Readonly<Record<string, ProxyProtocolFault>> = {
      'GET / HTTP/1.1\r\n': 'proxy-header-missing',
      'proxy TCP4 1.2.3.4 1.2.3.5 1 2\r\n': 'proxy-header-missing',
      'PROXY\tTCP4 1.2.3.4 1.2.3.5 1 2\r\n': 'proxy-header-missing',
      '\nPROXY UNKNOWN\r\n': 'proxy-header-missing',
      'PROXY UNKNOWN\n': 'proxy-line-invalid',
      'PROXY UNKNOWN\rX': 'proxy-line-invalid',
      'PROXY UNKNOWNX\r\n': 'proxy-line-invalid',
      'PROXY  TCP4 1.2.3.4 1.2.3.5 1 2\r\n': 'proxy-line-invalid',
      'PROXY TCP4  1.2.3.4 1.2.3.5 1 2\r\n': 'proxy-line-invalid',
      'PROXY TCP4 1.2.3.4 1.2.3.5 1 2 \r\n': 'proxy-line-invalid',
      'PROXY TCP4 1.2.3.4 1.2.3.5 1\r\n': 'proxy-line-invalid',
      'PROXY TCP4\r\n': 'proxy-line-invalid',
      'PROXY UDP4 1.2.3.4 1.2.3.5 1 2\r\n': 'proxy-line-invalid',
      'PROXY tcp4 1.2.3.4 1.2.3.5 1 2\r\n': 'proxy-line-invalid',
      'PROXY TCP4 01.2.3.4 1.2.3.5 1 2\r\n': 'proxy-address-invalid',
      'PROXY TCP4 1.2.3 1.2.3.5 1 2\r\n': 'proxy-address-invalid',
      'PROXY TCP4 1.2.3.4 1.2.3.256 1 2\r\n': 'proxy-address-invalid',
      'PROXY TCP4 ::1 ::2 1 2\r\n': 'proxy-address-invalid',
      'PROXY TCP4 a.example b.example 1 2\r\n': 'proxy-address-invalid',
      'PROXY TCP6 1.2.3.4 1.2.3.5 1 2\r\n': 'proxy-address-invalid',
      'PROXY TCP6 fe80::1%lo ::1 1 2\r\n': 'proxy-address-invalid',
      'PROXY TCP6 1::2::3 ::1 1 2\r\n': 'proxy-address-invalid',
      'PROXY TCP4 1.2.3.4 1.2.3.5 01 2\r\n': 'proxy-port-invalid',
      'PROXY TCP4 1.2.3.4 1.2.3.5 1 65536\r\n': 'proxy-port-invalid',
      'PROXY TCP4 1.2.3.4 1.2.3.5 -1 2\r\n': 'proxy-port-invalid',
      'PROXY TCP4 1.2.3.4 1.2.3.5 1 0x2\r\n': 'proxy-port-invalid',
    };
    for (const [header, fault] of Object.entries(refused)) assert.equal(line(header).fault, fault, header);
  });

  it('refuses an HTTP client at its first octet', () => {
    assert.equal(read(Buffer.from('G')).fault, 'proxy-header-missing');
  });
});

describe('the PROXY protocol, version 2', () => {
  it('tells who is connected to whom, over TCP and over UDP', () => {
    for (const transport of [1, 2]) {
      const header = binary(0x21, 0x10 + transport, IPV4);
      assert.deepEqual(read(Buffer.concat([header, REQUEST])), {
        length: 28,
        fault: null,
        connection: { source: { address: '10.0.0.1', port: 54_321 }, destination: { address: '10.0.0.2', port: 443 } },
      });
    }
    assert.deepEqual(read(binary(0x21, 0x21, IPV6)), {
      length: 52,
      fault: null,
      connection: {
        source: { address: '2001:db8::1', port: 54_321 },
        destination: { address: '2001:db8::2', port: 443 },
      },
    });
  });

  it('takes an IPv4 address inside of an IPv6 one for what it is', () => {
    const mapped = `${'00'.repeat(10)}ffff0a000001`;
    const { connection } = read(binary(0x21, 0x21, `${mapped} ${mapped} 0001 0002`));
    assert.deepEqual(connection?.source, { address: '10.0.0.1', port: 1 });
  });

  it('leaves the connection its own addresses when the sender speaks for itself or cannot tell', () => {
    const headers = {
      LOCAL: binary(0x20, 0x00, ''),
      'LOCAL with addresses': binary(0x20, 0x11, IPV4),
      'LOCAL with a family nobody knows': binary(0x20, 0xff, '01'),
      UNSPEC: binary(0x21, 0x00, ''),
      'UNSPEC with something': binary(0x21, 0x00, 'ff'),
      'IPv4 over something': binary(0x21, 0x10, IPV4),
      'a UNIX socket': binary(0x21, 0x31, '2f'.repeat(216)),
    };
    for (const [name, header] of Object.entries(headers)) {
      const whole = Buffer.concat([header, REQUEST]);
      assert.deepEqual(read(whole), { length: header.length, fault: null, connection: null }, name);
    }
  });

  it('skips additional values, up to 4 KiB of all', () => {
    const values = value(0x01, Buffer.from('http/1.1')) + value(0x04, Buffer.alloc(0)) + value(0xee, Buffer.from('x'));
    const header = binary(0x21, 0x11, IPV4 + values);
    assert.equal(read(header).length, header.length);
    const longest = binary(0x21, 0x11, IPV4 + value(0x04, Buffer.alloc(4_096 - 15)));
    assert.equal(read(longest).length, 16 + 4_096);
    const tooLong = binary(0x21, 0x11, IPV4 + value(0x04, Buffer.alloc(4_096 - 14)));
    assert.equal(read(tooLong).fault, 'proxy-header-too-long');
  });

  it('verifies a checksum when there is one', () => {
    const header = signed(binary(0x21, 0x11, IPV4 + value(0x04, Buffer.from('ab')) + value(0x03, Buffer.alloc(4))));
    assert.equal(read(Buffer.concat([header, REQUEST])).length, header.length);
    const typeAt = header.length - 7; // with another type it is no checksum
    for (let at = 16; at < header.length; at += 1) {
      if (at === typeAt) continue;
      const changed = Buffer.from(header);
      changed[at]! ^= 1;
      assert.notEqual(read(changed).fault ?? 'waits', 'waits', `octet ${at} can be changed`);
    }
    const wrong = binary(0x21, 0x11, IPV4 + value(0x03, Buffer.from('abcd')));
    assert.equal(read(wrong).fault, 'proxy-checksum-wrong');
  });

  it('refuses headers that contradict themselves', () => {
    const refused: readonly (readonly [ProxyProtocolFault, Buffer])[] = [
      ['proxy-command-invalid', binary(0x11, 0x11, IPV4)],
      ['proxy-command-invalid', binary(0x31, 0x11, IPV4)],
      ['proxy-command-invalid', binary(0x22, 0x11, IPV4)],
      ['proxy-family-invalid', binary(0x21, 0x41, IPV4)],
      ['proxy-family-invalid', binary(0x21, 0x13, IPV4)],
      ['proxy-header-too-short', binary(0x21, 0x11, IPV4.slice(0, -3))],
      ['proxy-header-too-short', binary(0x21, 0x21, IPV4)],
      ['proxy-header-too-short', binary(0x21, 0x31, IPV6)],
      ['proxy-header-too-long', binary(0x21, 0x11, IPV4, 0xffff)],
      ['proxy-value-invalid', binary(0x21, 0x11, `${IPV4} 04`)],
      ['proxy-value-invalid', binary(0x21, 0x11, `${IPV4} 040001`)],
      ['proxy-value-invalid', binary(0x21, 0x11, IPV4 + value(0x03, Buffer.alloc(3)))],
      ['proxy-value-invalid', binary(0x21, 0x11, IPV4 + value(0x03, Buffer.alloc(4)).repeat(2))],
      ['proxy-header-missing', Buffer.from('\r\n\r\n\0\r\nQUIT!', 'latin1')],
      ['proxy-header-missing', Buffer.from('\r\nGET / HTTP/1.1', 'latin1')],
    ];
    for (const [fault, header] of refused) assert.equal(read(header).fault, fault, header.toString('hex'));
  });

  it('reads any pieces as it reads the whole', () => {
    const header = fc.constantFrom(
      binary(0x21, 0x11, IPV4),
      binary(0x21, 0x21, IPV6 + value(0xee, Buffer.alloc(50))),
      binary(0x20, 0x00, ''),
      binary(0x21, 0x44, IPV4),
      signed(binary(0x21, 0x11, IPV4 + value(0x03, Buffer.alloc(4)))),
      Buffer.from('PROXY TCP6 ::1 ::2 3 4\r\n'),
      Buffer.from('PROXY TCP4 1.2.3.4\r\n'),
    );
    fc.assert(
      fc.property(header, fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 40 }), (octets, cuts) => {
        const whole = Buffer.concat([octets, REQUEST]);
        assert.deepEqual(read(whole, cuts), read(whole));
      }),
    );
  });
});
