import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainAddress, TrustedProxies } from '../../../internal/proxy/client-address.ts';

describe('the client address', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '192.168.1.1', 'fd00::/8']);

  it('is the other end of the connection, whatever it says, unless that is a trusted proxy', () => {
    assert.equal(proxies.clientAddress('203.0.113.9', '1.2.3.4'), '203.0.113.9');
    assert.equal(new TrustedProxies([]).clientAddress('10.0.0.1', '1.2.3.4'), '10.0.0.1');
  });

  // A client writes `X-Forwarded-For: 6.6.6.6` itself; the proxy in front of us appends the address it saw.
  // Whoever takes the first of the list believes the client.
  it('is the last address of the list that is no proxy of ours', () => {
    assert.equal(proxies.clientAddress('10.0.0.1', '6.6.6.6, 203.0.113.9'), '203.0.113.9');
    assert.equal(proxies.clientAddress('10.0.0.1', '6.6.6.6, 203.0.113.9, 192.168.1.1,10.2.3.4'), '203.0.113.9');
    assert.equal(proxies.clientAddress('fd00::1', '2001:db8::7'), '2001:db8::7');
  });

  it('is the last proxy when the list ends, is missing or is no list of addresses', () => {
    assert.equal(proxies.clientAddress('10.0.0.1', undefined), '10.0.0.1');
    assert.equal(proxies.clientAddress('10.0.0.1', ''), '10.0.0.1');
    assert.equal(proxies.clientAddress('10.0.0.1', '10.0.0.2, 10.0.0.3'), '10.0.0.2');
    assert.equal(proxies.clientAddress('10.0.0.1', '1.2.3.4, unknown'), '10.0.0.1');
    assert.equal(proxies.clientAddress('10.0.0.1', '<script>'), '10.0.0.1');
  });

  it('is an IPv4 address, also when it came in on an IPv6 socket', () => {
    assert.equal(plainAddress('::ffff:10.0.0.1'), '10.0.0.1');
    assert.equal(plainAddress('::FFFF:0a00:1'), '10.0.0.1');
    for (const other of ['::ffff:10.0.0.256', '::ffff:1', '::1', '::fffe:a00:1', '::ffff:a00:1:2']) {
      assert.equal(plainAddress(other), other);
    }
    assert.equal(proxies.clientAddress('::ffff:10.0.0.1', '::ffff:203.0.113.9'), '203.0.113.9');
    assert.ok(proxies.trusts('::ffff:192.168.1.1'));
  });

  it('takes link-local addresses with their zone, and nonsense, for strangers', () => {
    for (const address of ['fe80::1%eth0', '', 'unix', '10.0.0.256']) assert.ok(!proxies.trusts(address), address);
  });
});
