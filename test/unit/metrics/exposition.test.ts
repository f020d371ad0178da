import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expositionOf } from '../../../pkg/metrics/exposition.ts';
import { processFamilies } from '../../../pkg/metrics/process-families.ts';
import { samplesOf } from '../../support/exposition.ts';

describe('the exposition', () => {
  it('has every value with its labels, escaped', async () => {
    const { body } = await expositionOf([
      { kind: 'counter', name: 'a_total', help: 'A.', samples: [{ labels: { path: '/"x"\\' }, value: 3 }] },
      { kind: 'gauge', name: 'b', help: 'B.', samples: [{ labels: {}, value: 0.5 }] },
    ]);
    const lines = ['# HELP a_total A.', '# TYPE a_total counter', 'a_total{path="/\\"x\\"\\\\"} 3'];
    assert.equal(body.trim(), [...lines, '', '# HELP b B.', '# TYPE b gauge', 'b 0.5'].join('\n'));
  });

  it('has histograms that were counted elsewhere', async () => {
    const buckets = [
      { le: 0.5, count: 1 },
      { le: Number.POSITIVE_INFINITY, count: 3 },
    ];
    const samples = [{ labels: { service: 'web' }, buckets, sum: 4.5, count: 3 }];
    const { body } = await expositionOf([{ kind: 'histogram', name: 'h_seconds', help: 'H.', samples }]);
    assert.match(body, /^# TYPE h_seconds histogram$/m);
    assert.deepEqual(Object.fromEntries(samplesOf(body)), {
      'h_seconds_bucket{service="web",le="0.5"}': 1,
      'h_seconds_bucket{service="web",le="+Inf"}': 3,
      'h_seconds_sum{service="web"}': 4.5,
      'h_seconds_count{service="web"}': 3,
    });
  });

  it('leaves out what has no value', async () => {
    const { body } = await expositionOf([{ kind: 'gauge', name: 'b', help: 'B.', samples: [] }]);
    assert.equal(body.trim(), '');
  });

  it('tells what the process uses', async () => {
    const samples = samplesOf((await expositionOf(processFamilies({ delayMs: 20, busyMs: 3_000 }))).body);
    assert.ok(Math.abs((samples.get('process_start_time_seconds') ?? 0) + process.uptime() - Date.now() / 1_000) < 5);
    assert.ok((samples.get('process_cpu_seconds_total') ?? 0) > 0);
    assert.ok((samples.get('process_resident_memory_bytes') ?? 0) > 1e6);
    assert.equal(samples.get('nodejs_eventloop_lag_seconds'), 0.02);
    assert.equal(samples.get('nodejs_eventloop_busy_seconds_total'), 3);
  });
});
