import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { addressKey } from '../../../../internal/proxy/rate-limit/address-key.ts';

describe('the key of an address', () => {
  it('is an IPv4 address itself', () => {
    assert.notEqual(addressKey('10.0.0.1'), addressKey('10.0.0.2'));
    assert.equal(addressKey('10.0.0.1'), '10.0.0.1');
  });

  // Whoever has one IPv6 address has 2^64 of them: a limit for each would be no limit.
  it('is the first half of an IPv6 address', () => {
    assert.equal(addressKey('2001:db8:1:2::1'), addressKey('2001:db8:1:2:ffff:ffff:ffff:ffff'));
    assert.notEqual(addressKey('2001:db8:1:2::1'), addressKey('2001:db8:1:3::1'));
  });

  it('is the same in whichever way the address is written', () => {
    const same = [
      ['2001:db8::1', '2001:0DB8:0000:0000:0:0:0:0001'],
      ['2001:db8::5:6:7:8:9', '2001:db8:0:5:6:7:8:9'],
      ['::1', '0:0:0:0:0:0:0:1', '::'],
      ['1::', '1:0:0:0::', '1::10.0.0.1', '1:0:0:0:0:0:10.0.0.1'],
      ['64:ff9b::10.0.0.1', '64:ff9b:0:0:0:0:a00:1'],
      ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ];
    for (const [first = '', ...others] of same) {
      for (const other of others) assert.equal(addressKey(other), addressKey(first), `${first} and ${other}`);
    }
    assert.equal(new Set(same.map(([first = '']) => addressKey(first))).size, same.length);
  });

  it('tells links apart, where addresses are of use on one link only', () => {
    assert.notEqual(addressKey('fe80::1%eth0'), addressKey('fe80::1%eth1'));
  });

  it('agrees with Node about which addresses share their first 64 bits', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV6(), fc.boolean(), (a, b, near) => {
        const other = near ? a.replace(/[^:.]$/, '0') : b;
        const network = new BlockList();
        network.addSubnet(a, 64, 'ipv6');
        assert.equal(addressKey(a) === addressKey(other), network.check(other, 'ipv6'), `${a} and ${other}`);
      }),
      { numRuns: 500 },
    );
  });
});
