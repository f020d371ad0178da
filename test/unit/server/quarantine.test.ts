import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Quarantine } from '../../../internal/server/quarantine.ts';

it('a port is free again thirty seconds after its release, and others are not concerned', () => {
  let now = 1_000;
  const quarantine = new Quarantine(() => now);
  assert.equal(quarantine.until(9001), null);
  quarantine.add(9001);
  assert.equal(quarantine.until(9001), 31_000);
  assert.equal(quarantine.until(9002), null);
  now = 30_999;
  assert.equal(quarantine.until(9001), 31_000);
  now = 31_000;
  assert.equal(quarantine.until(9001), null);
});
