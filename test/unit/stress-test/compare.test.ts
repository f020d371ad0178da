import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compare, failedPercent } from '../../../pkg/stress-test/compare.ts';
import { stressReport } from '../../support/stress-report.ts';

const before = stressReport();
const latency = (changes: Partial<typeof before.latency>) =>
  stressReport({ latency: { ...before.latency, ...changes } });
const worse = (now: typeof before, limit = 0.1) =>
  compare(before, now, limit)
    .figures.filter(({ isWorse }) => isWorse)
    .map(({ name }) => name);

describe('the comparison of two runs', () => {
  it('finds an equal run no worse', () => {
    assert.equal(compare(before, stressReport(), 0).isWorse, false);
  });

  it('counts a percentile as worse beyond the limit alone', () => {
    assert.deepEqual(worse(latency({ p99: 10.9 })), []);
    assert.deepEqual(worse(latency({ p99: 11.1 })), ['p99 ms']);
    assert.deepEqual(worse(latency({ p99: 11.1 }), 0.2), []);
  });

  it('takes differences of a timer for noise', () => {
    assert.deepEqual(worse(latency({ p50: 1.4 })), []);
    assert.deepEqual(worse(latency({ p50: 1.6 })), ['p50 ms']);
  });

  it('counts fewer answers each second, and more failures, as worse', () => {
    assert.deepEqual(worse(stressReport({ throughput: 89 })), ['answers/s']);
    assert.deepEqual(worse(stressReport({ answers: 990, errors: { ECONNRESET: 10 } })), ['failed %']);
  });

  it('names what was asked for differently', () => {
    assert.deepEqual(compare(before, stressReport({ rate: null }), 0.1).differences, ['rate was 100, is none']);
  });

  it('takes answers of 5xx for failures, and others not', () => {
    assert.equal(failedPercent(stressReport({ statuses: { '200': 800, '404': 100, '503': 100 } })), 10);
  });
});
