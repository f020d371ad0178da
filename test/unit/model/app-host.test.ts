import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppHostSchema, isLoopbackHost } from '../../../internal/model/app-host.ts';

describe('the host of an app', () => {
  it('has one spelling, so that an address cannot be announced twice', () => {
    for (const [text, host] of [
      ['10.0.0.7', '10.0.0.7'],
      ['10.7', '10.0.0.7'],
      ['0x0a.0.0.7', '10.0.0.7'],
      ['2001:DB8:0::7', '2001:db8::7'],
      ['2001:db8:0:0:0:0:0:7', '2001:db8::7'],
      ['::ffff:10.0.0.7', '10.0.0.7'],
      ['Host_B.lan', 'host_b.lan'],
    ] as const)
      assert.equal(AppHostSchema.parse(text), host, text);
  });

  // A load balancer that asks 169.254.169.254 gives whoever calls it the credentials of its machine in a cloud.
  it('is none that stands for many, or for whoever asks', () => {
    for (const text of ['0.0.0.0', '0', '::', '0:0::0', '169.254.169.254', '0xa9fea9fe', '::ffff:169.254.1.1'])
      assert.equal(AppHostSchema.safeParse(text).success, false, text);
    for (const text of ['fe80::1', 'FEBF::1', 'ff02::1', '224.0.0.1', '255.255.255.255'])
      assert.equal(AppHostSchema.safeParse(text).success, false, text);
  });

  it('has no port, no brackets and nothing else that is no address', () => {
    for (const text of [
      '',
      'a b',
      'a:1',
      '[::1]',
      '10.0.0.7:80',
      '1.2.3.4.5',
      '::g',
      'a/b',
      'a\r\nX: y',
      'fe80::1%eth0',
    ])
      assert.equal(AppHostSchema.safeParse(text).success, false, text);
  });

  it('may be each machine itself', () => {
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) assert.ok(isLoopbackHost(host), host);
    for (const host of ['10.0.0.7', 'localhost.lan', '::2']) assert.ok(!isLoopbackHost(host), host);
  });
});
