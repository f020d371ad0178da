import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { historyOf } from '../../../../internal/server/live/live-history.ts';
import { UsageHistory } from '../../../../internal/server/live/usage-history.ts';
import { liveInstance, liveService } from '../../../support/live-state.ts';
import { sample } from '../../../support/traffic-sample.ts';

/** The end of the last span that is over, and the beginning of the present one. */
const END = 15_000 * 1_000;
const STATE = { services: [liveService('web')], instances: [liveInstance({ id: 'web-1', startedAt: END - 40_000 })] };

describe('the history', () => {
  it('has a point for each span of the last 15 minutes that is over, with what all load balancers did', () => {
    const usage = new UsageHistory();
    usage.note(new Map([['web-1', { memory: 1_234_567, cpu: 12.345 }]]), END - 14_000);
    usage.note(new Map([['web-1', { memory: 2_345_678, cpu: null }]]), END - 1_000);
    const samples = [
      sample({ from: END - 29_500, until: END - 14_500, requests: 150, failed: 15, inFlight: 2 }),
      sample({ from: END - 14_500, until: END + 500, requests: 300 }),
      sample({ proxyId: 'lb-2', from: END - 14_000, until: END - 9_000, requests: 150 }),
      sample({ from: END + 500, until: END + 2_000, requests: 1_000 }),
    ];
    const history = historyOf({ samples, usage, state: STATE, knownSince: END - 70_000 }, END + 3_000);
    const { web } = history.services;
    assert.deepEqual([history.until, history.stepMs, web?.rps.length], [END, 15_000, 60]);
    assert.deepEqual(web?.rps.slice(-6), [null, 0, 0, 0, 10, 30.7], 'idle spans are 0, those of before are not known');
    assert.deepEqual(web?.errorRate.slice(-3), [null, 0.1, 0]);
    assert.deepEqual(web?.inFlight.slice(-3), [0, 2, 0]);
    const instance = history.instances['web-1'];
    assert.deepEqual(instance?.rps.slice(-4), [null, 0, 10, 30.7], 'nothing is known of before it was started');
    assert.deepEqual(instance?.memory.slice(-2), [null, 2_350_000]);
    assert.deepEqual(instance?.cpu, [], 'the last reading of a span counts');
  });

  it('does not take what happened in a part of a span for what happened in all of it', () => {
    const samples = [sample({ from: END - 2_000, until: END + 500, requests: 155 })];
    const { services } = historyOf({ samples, usage: new UsageHistory(), state: STATE, knownSince: 0 }, END + 3_000);
    assert.equal(services.web?.rps.at(-1), 10);
  });

  it('is empty where nothing is known', () => {
    const parts = { samples: [], usage: new UsageHistory(), state: STATE, knownSince: Number.POSITIVE_INFINITY };
    const { services, instances } = historyOf(parts, END);
    assert.deepEqual(services.web, { rps: [], errorRate: [], p50: [], p95: [], p99: [], inFlight: [] });
    assert.deepEqual(instances['web-1'], { rps: [], errorRate: [], p99: [], cpu: [], memory: [] });
  });

  it('keeps a quarter of an hour of what processes use', () => {
    const usage = new UsageHistory();
    const reading = (memory: number) => new Map([['web-1', { memory, cpu: null }]]);
    usage.note(reading(1), END);
    usage.note(reading(2), END + 15_000);
    usage.note(reading(3), END + 915_000);
    const of = (after: number) => usage.of('web-1', (END + after) / 15_000)?.memory;
    assert.deepEqual([of(0), of(15_000), of(915_000)], [undefined, 2, 3]);
  });
});
