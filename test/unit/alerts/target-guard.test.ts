import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TargetGuard } from '../../../pkg/alerts/target-guard.ts';

const PRIVATE = [
  '0.0.0.0',
  '10.9.8.7',
  '100.64.0.1',
  '127.255.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '198.19.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::ffff:127.0.0.1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  'fd12::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
];
const PUBLIC = ['8.8.8.8', '172.32.0.1', '192.169.0.1', '::ffff:8.8.8.8', '2606:4700::1111', '2a01:4f8::1'];

describe('the guard of webhook targets', () => {
  for (const address of PRIVATE) {
    it(`keeps away from ${address}`, () => assert.equal(new TargetGuard([]).mayReach(address), false));
  }

  for (const address of PUBLIC) {
    it(`lets ${address} be reached`, () => assert.equal(new TargetGuard([]).mayReach(address), true));
  }

  it('lets be reached what is allowed, and nothing beside it', () => {
    const guard = new TargetGuard(['10.1.0.0/16', '::1']);
    const reached = ['10.1.2.3', '::1', '10.2.0.1', '127.0.0.1', '::2'].filter((address) => guard.mayReach(address));
    assert.deepEqual(reached, ['10.1.2.3', '::1']);
  });

  it('checks what a name means, and addresses in any notation that a URL knows', async () => {
    const guard = new TargetGuard([]);
    for (const url of [
      'http://localhost/',
      'http://0x7f.1/',
      'http://127.1/',
      'http://[::1]/',
      'http://017700000001/',
    ]) {
      await assert.rejects(guard.check(new URL(url).hostname), /private or reserved/, url);
    }
    await guard.check('8.8.8.8');
    await assert.rejects(guard.check('nobody.invalid'), /cannot be resolved/);
  });
});
