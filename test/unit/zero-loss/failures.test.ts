import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Failure } from '../../chaos/verdict.ts';
import { countFailures, NOTHING_YET, sortOf } from '../../zero-loss/failures.ts';

const FAILURE: Failure = {
  kind: 'GET',
  isIdempotent: true,
  phase: 'head',
  cause: 'ECONNRESET socket hang up',
  from: 100,
  to: 200,
};

describe('how a visit failed', () => {
  it('is told as its client saw it', () => {
    assert.equal(
      sortOf({ phase: 'connect', cause: 'ECONNREFUSED connect ECONNREFUSED 127.0.0.1:1' }),
      'connection refused',
    );
    assert.equal(sortOf({ phase: 'head', cause: 'ECONNRESET socket hang up' }), 'connection reset');
    assert.equal(sortOf({ phase: 'head', cause: 'EPIPE write EPIPE' }), 'connection reset');
    assert.equal(sortOf({ phase: 'body', cause: 'ECONNRESET aborted' }), 'answer cut');
    assert.equal(sortOf({ phase: 'websocket', cause: 'closed with 1006' }), 'WebSocket cut');
    assert.equal(sortOf({ phase: 'websocket', cause: 'no echo for 20 s' }), 'no answer');
    assert.equal(sortOf({ phase: 'head', cause: 'no sign of life for 60 s' }), 'no answer');
  });

  it('is a status where there was one, whatever the kind of visit', () => {
    assert.equal(sortOf({ phase: 'head', cause: 'status 503: nobody is there' }), 'status 5xx');
    assert.equal(sortOf({ phase: 'websocket', cause: 'status 502' }), 'status 5xx');
    assert.equal(sortOf({ phase: 'head', cause: 'status 404: ' }), 'anything else');
  });

  it('is something else when the answer was wrong', () => {
    assert.equal(sortOf({ phase: 'body', cause: 'another body came back' }), 'anything else');
  });
});

describe('failures', () => {
  const acts = [
    { name: 'deploy', from: 150 },
    { name: 'scale', from: 201 },
  ];

  it('belong to the act that had begun last when they happened', () => {
    const [before, during, after] = [140, 200, 900].map((to) => countFailures([{ ...FAILURE, to }], acts)[0]?.act);
    assert.deepEqual([before, during, after], [NOTHING_YET, 'deploy', 'scale']);
  });

  it('are counted where kind, sort and act are the same', () => {
    const cut: Failure = { ...FAILURE, phase: 'body' };
    assert.deepEqual(countFailures([FAILURE, cut, FAILURE], acts), [
      { kind: 'GET', sort: 'connection reset', act: 'deploy', count: 2 },
      { kind: 'GET', sort: 'answer cut', act: 'deploy', count: 1 },
    ]);
  });
});
