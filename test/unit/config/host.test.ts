import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HostSchema, hostsOverlap, isLoopback, NetworkSchema } from '../../../internal/config/host.ts';

describe('HostSchema', () => {
  it('takes addresses and names', () => {
    for (const host of ['127.0.0.1', '::', '::1', 'localhost', 'app-1.example.com', 'my_host']) {
      assert.equal(HostSchema.parse(host), host);
    }
    assert.equal(HostSchema.parse('Example.COM'), 'example.com');
  });

  it('refuses what no listener could bind', () => {
    // '' would make a listener bind every interface, and 127.1 is an address only to some resolvers.
    for (const host of ['', '[::1]', 'host:80', 'a b', '-a', 'a..b', '1.2.3.256', '127.1', 'http://x', '*']) {
      assert.equal(HostSchema.safeParse(host).success, false, host);
    }
  });
});

describe('NetworkSchema', () => {
  it('takes addresses and ranges', () => {
    for (const network of ['10.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '::1', 'fd00::/8', '2001:db8::1/128']) {
      assert.equal(NetworkSchema.parse(network), network);
    }
  });

  it('refuses names and impossible prefixes', () => {
    for (const network of [
      '',
      'localhost',
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/',
      '10.0.0.0/08',
      '10.0.0.0/8/8',
      '/8',
    ]) {
      assert.equal(NetworkSchema.safeParse(network).success, false, network);
    }
  });
});

describe('isLoopback', () => {
  it('is true for what only this machine can reach', () => {
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])
      assert.ok(isLoopback(host), host);
  });

  it('is false for everything else', () => {
    // A name that only looks like a loopback address resolves to whatever its owner likes.
    for (const host of [
      '0.0.0.0',
      '::',
      '10.0.0.1',
      '127.0.0.1.example.com',
      'localhost.example.com',
      '::ffff:10.0.0.1',
    ]) {
      assert.equal(isLoopback(host), false, host);
    }
  });
});

describe('hostsOverlap', () => {
  it('knows wildcards and the two addresses of localhost', () => {
    assert.ok(hostsOverlap('10.0.0.1', '10.0.0.1'));
    assert.ok(hostsOverlap('0.0.0.0', '127.0.0.1'));
    assert.ok(hostsOverlap('127.0.0.1', '::'));
    assert.ok(hostsOverlap('localhost', '127.0.0.1'));
    assert.ok(hostsOverlap('::1', 'localhost'));
    assert.equal(hostsOverlap('127.0.0.1', '127.0.0.2'), false);
    assert.equal(hostsOverlap('localhost', '10.0.0.1'), false);
  });
});
