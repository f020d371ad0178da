import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TraceIds } from '../../../../internal/proxy/tracing/trace-ids.ts';
import { isSampled, Tracer, tracerFor } from '../../../../internal/proxy/tracing/tracer.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const ZEROS = '0'.repeat(32);

function tracer(sampleRatio: number): Tracer {
  return new Tracer({ sampleRatio }, () => {});
}

describe('ids of traces and spans', () => {
  it('are 32 and 16 hexadecimal digits, and all different', () => {
    const ids = new TraceIds();
    const traces = Array.from({ length: 1_000 }, () => ids.traceId());
    const spans = Array.from({ length: 1_000 }, () => ids.spanId());
    assert.equal(new Set([...traces, ...spans]).size, 2_000);
    for (const id of traces) assert.match(id, /^[\da-f]{32}$/);
    for (const id of spans) assert.match(id, /^[\da-f]{16}$/);
  });

  it('are never all zero', () => {
    let fills = 0;
    const ids = new TraceIds((pool) => {
      pool.fill(fills === 0 ? 0 : 7);
      fills += 1;
    });
    assert.equal(ids.spanId(), '07'.repeat(8));
    assert.equal(fills, 2);
  });
});

describe('the tracer', () => {
  it('goes on with the trace of the caller, as the caller has decided about it', () => {
    const sampled = tracer(0).begin(`00-${TRACE}-${SPAN}-01`, 'foo=1');
    assert.deepEqual([sampled.traceId, sampled.parentId, sampled.state], [TRACE, SPAN, 'foo=1']);
    assert.equal(sampled.sampled, true);
    assert.notEqual(sampled.spanId, SPAN);
    assert.equal(tracer(1).begin(`00-${TRACE}-${SPAN}-00`, '').sampled, false);
  });

  it('begins a new trace where there is none, or none that is valid, and leaves its state behind', () => {
    for (const traceparent of [undefined, 'nonsense', `00-${ZEROS}-${SPAN}-01`]) {
      const trace = tracer(1).begin(traceparent, 'foo=1');
      assert.notEqual(trace.traceId, ZEROS);
      assert.deepEqual([trace.parentId, trace.state, trace.sampled], [null, '', true]);
    }
  });

  it('tells the upstream of each attempt of a span of its own', () => {
    const trace = tracer(1).begin(undefined, '');
    trace.nextAttempt();
    const first = trace.traceparent;
    trace.nextAttempt();
    const [one, two] = trace.attemptIds;
    assert.equal(first, `00-${trace.traceId}-${one}-01`);
    assert.equal(trace.traceparent, `00-${trace.traceId}-${two}-01`);
    assert.equal(new Set([one, two, trace.spanId]).size, 3);
  });

  it('passes the span of the caller on when nothing is recorded here', () => {
    const trace = tracer(1).begin(`00-${TRACE}-${SPAN}-00`, '');
    trace.nextAttempt();
    trace.nextAttempt();
    assert.equal(trace.traceparent, `00-${TRACE}-${SPAN}-00`);
    assert.deepEqual(trace.attemptIds, []);
  });

  it('passes a valid context on also when nobody records anything', () => {
    const trace = tracer(0).begin(undefined, '');
    trace.nextAttempt();
    assert.match(trace.traceparent, /^00-[\da-f]{32}-[\da-f]{16}-00$/);
  });

  it('is made anew only when its settings change', () => {
    const first = tracerFor({ sampleRatio: 0.5 }, null, () => {});
    assert.equal(
      tracerFor({ sampleRatio: 0.5 }, first, () => {}),
      first,
    );
    assert.notEqual(
      tracerFor({ sampleRatio: 0.6 }, first, () => {}),
      first,
    );
    assert.equal(
      tracerFor(null, first, () => {}),
      null,
    );
    assert.equal(tracerFor({ sampleRatio: 1 }, null, undefined), null);
  });
});

describe('the sample', () => {
  it('is as large as its ratio', () => {
    const ids = new TraceIds();
    const traces = Array.from({ length: 20_000 }, () => ids.traceId());
    for (const ratio of [0, 0.01, 0.25, 1]) {
      const sampled = traces.filter((id) => isSampled(id, ratio)).length;
      assert.ok(Math.abs(sampled / traces.length - ratio) < 0.02, `${sampled} of ${traces.length} by ${ratio}`);
    }
  });

  it('is decided by the random end of the id alone, and a larger one holds the smaller', () => {
    const [low, middle, high] = ['00000000000000', '80000000000000', 'ffffffffffffff'].map(
      (end) => `${'a'.repeat(18)}${end}`,
    );
    const sampledBy = (ratio: number) => [low, middle, high].map((id) => isSampled(id ?? '', ratio));
    assert.deepEqual(sampledBy(0), [false, false, false]);
    assert.deepEqual(sampledBy(0.1), [false, false, true]);
    assert.deepEqual(sampledBy(0.5), [false, true, true]);
    assert.deepEqual(sampledBy(1), [true, true, true]);
  });
});
