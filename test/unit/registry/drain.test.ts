import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeimdallError } from '../../../internal/model/errors.ts';
import type { ProxyRecord } from '../../../internal/registry/registry.ts';
import { isDrained, waitUntilDrained } from '../../../internal/registry/drain.ts';

const NOW = 100_000;
const clock = () => NOW;

function proxy(overrides: Partial<ProxyRecord>): ProxyRecord {
  return { id: 'lb', pid: 1, startedAt: 0, heartbeatAt: NOW, appliedRevision: 7, inFlight: new Map(), ...overrides };
}

describe('isDrained', () => {
  it('holds without load balancers, and once all of them have the revision and nothing in flight', () => {
    assert.equal(isDrained([], 'a', 7, NOW), true);
    assert.equal(isDrained([proxy({}), proxy({ appliedRevision: 9 })], 'a', 7, NOW), true);
  });

  it('does not hold while one has an older picture or none', () => {
    assert.equal(isDrained([proxy({}), proxy({ appliedRevision: 6 })], 'a', 7, NOW), false);
    assert.equal(isDrained([proxy({ appliedRevision: null })], 'a', 7, NOW), false);
  });

  it('counts requests in flight of this instance only', () => {
    assert.equal(isDrained([proxy({ inFlight: new Map([['a', 1]]) })], 'a', 7, NOW), false);
    assert.equal(isDrained([proxy({ inFlight: new Map([['b', 1]]) })], 'a', 7, NOW), true);
  });

  it('ignores a load balancer whose heartbeat is older than five seconds', () => {
    const old = { appliedRevision: 1, inFlight: new Map([['a', 1]]) };
    assert.equal(isDrained([proxy({ ...old, heartbeatAt: NOW - 5_001 })], 'a', 7, NOW), true);
    assert.equal(isDrained([proxy({ ...old, heartbeatAt: NOW - 5_000 })], 'a', 7, NOW), false);
  });
});

describe('waitUntilDrained', () => {
  const options = { instanceId: 'a', revision: 7, timeoutMs: 60_000, clock, signal: new AbortController().signal };

  it('resolves when the last load balancer has answered', async () => {
    const pictures = [[proxy({ appliedRevision: 6 })], [proxy({ inFlight: new Map([['a', 1]]) })], [proxy({})]];
    const registry = { proxies: async () => pictures.shift() ?? [] };
    assert.equal(await waitUntilDrained({ ...options, registry }), 'drained');
    assert.equal(pictures.length, 0);
  });

  it('ends at the timeout', async () => {
    const registry = { proxies: async () => [proxy({ appliedRevision: 6 })] };
    assert.equal(await waitUntilDrained({ ...options, registry, timeoutMs: 1 }), 'timeout');
  });

  it('can be cut short', async () => {
    const registry = { proxies: async () => [proxy({ appliedRevision: 6 })] };
    const controller = new AbortController();
    const waiting = waitUntilDrained({ ...options, registry, signal: controller.signal });
    controller.abort();
    assert.equal(await waiting, 'cut short');
  });

  it('does not take a registry that cannot be read for an answer', async () => {
    let reads = 0;
    const registry = {
      proxies: async () => {
        reads += 1;
        if (reads < 3) throw new HeimdallError('REGISTRY_UNAVAILABLE', 'locked');
        return [];
      },
    };
    assert.equal(await waitUntilDrained({ ...options, registry }), 'drained');
    assert.equal(reads, 3);
  });
});
