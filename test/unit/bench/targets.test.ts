import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge } from '../../bench/report/targets.ts';
import type { CaseResult } from '../../bench/result.ts';
import { median } from '../../bench/statistics.ts';
import { resultOf } from './results.ts';

const outcome = (results: readonly CaseResult[], text: string, twoCoresFree = true) =>
  judge(results, twoCoresFree).find((verdict) => verdict.text.includes(text));

describe('a target', () => {
  it('is reached at its limit and missed beyond it', () => {
    const withCpu = (cpuUs: number) => [resultOf('small-64', { 'wire-1': { cpuUs }, haproxy: { cpuUs: 10 } })];
    assert.equal(outcome(withCpu(12.5), '÷ haproxy')?.outcome, 'reached');
    assert.deepEqual(outcome(withCpu(13), '÷ haproxy'), {
      text: 'CPU per request, wire-1 ÷ haproxy (small-64)',
      bound: 'at most',
      limit: 1.25,
      value: 1.3,
      interval: null,
      outcome: 'missed',
    });
  });

  it('of pairs is reached or missed with its whole interval, else not certain', () => {
    const withRatios = (...ratios: number[]) => {
      const result = resultOf('access-log', { json: { ratio: median(ratios) } });
      const rows = result.rows.map((row) => ({ ...row, samples: ratios.map((ratio) => ({ ratio })) }));
      return [{ ...result, ratio: { metric: 'ratio', title: 'of pairs', isPaired: true }, rows }];
    };
    const verdict = (...ratios: number[]) => outcome(withRatios(...ratios), 'access log, json');
    assert.equal(verdict(1.02, 1.03, 1.04, 1.05, 1.06, 1.1)?.outcome, 'reached');
    assert.equal(verdict(1.12, 1.13, 1.14, 1.15, 1.16, 1.17)?.outcome, 'missed');
    const between = verdict(1.02, 1.03, 1.04, 1.05, 1.06, 1.11);
    assert.deepEqual([between?.outcome, between?.interval], ['not certain', { low: 1.02, high: 1.11 }]);
    assert.equal(verdict(1.02, 1.03)?.interval, null);
  });

  it('is not measured when a side of it is missing', () => {
    const results = [resultOf('small-64', { 'wire-1': { cpuUs: 12 }, haproxy: null })];
    assert.equal(outcome(results, '÷ haproxy')?.outcome, 'not measured');
    assert.equal(outcome(results, '÷ caddy')?.outcome, 'not measured');
  });

  it('is judged only for the cases that were run', () => {
    assert.deepEqual(judge([], true), []);
    assert.equal(outcome([resultOf('small-64', {})], '5,000 idle'), undefined);
  });

  it('about two threads says nothing where two cores are not free', () => {
    const rows = { 'wire-1': { requestsPerSecond: 100 }, 'wire-2': { requestsPerSecond: 180 } };
    const results = [resultOf('small-64', rows)];
    assert.equal(outcome(results, 'two threads', true)?.outcome, 'reached');
    assert.equal(outcome(results, 'two threads', false)?.outcome, 'not measurable on this machine');
  });

  it('about large pools compares a pool with a small one of the same algorithm', () => {
    const rows = { 'wire-1 least-time, 4': { cpuUs: 10 }, 'wire-1 least-time, 1000': { cpuUs: 14 } };
    const verdict = outcome([resultOf('many-upstreams', rows)], 'wire-1 least-time');
    assert.deepEqual([verdict?.value, verdict?.outcome], [1.4, 'missed']);
  });

  it('about recovery is missed when there was none', () => {
    const rows = { 'wire-1 least-time': { recoverySeconds: Number.POSITIVE_INFINITY } };
    assert.equal(outcome([resultOf('slow-backend', rows)], 'recovered')?.outcome, 'missed');
  });
});
