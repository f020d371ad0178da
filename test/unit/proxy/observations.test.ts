import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedState } from '../../../internal/proxy/shared-state.ts';

const SIZE = { upstreams: 4, pools: 2, threads: 2 };

function threads() {
  const main = SharedState.create(SIZE);
  const [one, two] = [1, 2].map((thread) => SharedState.attach(main.buffer, SIZE, thread).observations);
  assert.ok(one && two);
  return { main, observations: main.observations, one, two };
}

describe('observations', () => {
  it('are those of all threads together, of each upstream apart', () => {
    const { observations, one, two } = threads();
    one.sent(1, 100);
    two.sent(1, 300);
    two.sent(2, 300);
    one.answered(1, Math.E);
    two.answered(1, Math.E ** 3);
    two.gatewayError(1, 0, 400, 1_000);
    one.answering(1, 1);
    two.answering(1, 1);
    two.answering(1, -1);
    const { logMs, ...counts } = observations.read(1);
    assert.deepEqual(counts, { answers: 2, gatewayErrors: 1, outdated: 0, waiting: 2, sentAt: 400, answering: 1 });
    assert.ok(Math.abs(logMs - 4) < 1e-9);
    assert.equal(observations.takeSlowest(1), Math.E ** 3);
    assert.equal(observations.read(2).waiting, 1);
    assert.equal(observations.read(0).waiting, 0);
  });

  it('forget the slowest answer once it was taken', () => {
    const { observations, one } = threads();
    one.answered(1, 50);
    assert.deepEqual([observations.takeSlowest(1), observations.takeSlowest(1)], [50, 0]);
    one.answered(1, 3);
    assert.equal(observations.takeSlowest(1), 3);
  });

  it('count errors in a row over all threads, until one of them sees an answer', () => {
    const { observations, one, two } = threads();
    assert.deepEqual([one.gatewayError(1, 0, 1, 1_000), two.gatewayError(1, 0, 2, 1_000)], [1, 2]);
    assert.equal(observations.streak(1, 3, 1_000), 2);
    two.endStreak(1);
    assert.equal(one.gatewayError(1, 0, 4, 1_000), 1);
  });

  it('count no row that lasts longer than its window', () => {
    const { observations, one } = threads();
    one.gatewayError(1, 0, 10, 1_000);
    one.gatewayError(1, 0, 900, 1_000);
    assert.equal(observations.streak(1, 1_011, 1_000), 0);
    assert.equal(one.gatewayError(1, 0, 1_011, 1_000), 1);
  });

  it('count nothing that began before the last judgement', () => {
    const { observations, one } = threads();
    observations.judged(1, 500);
    assert.equal(one.gatewayError(1, 499, 600, 1_000), 0);
    assert.equal(one.gatewayError(1, 500, 600, 1_000), 1);
    const { gatewayErrors, outdated } = observations.read(1);
    assert.deepEqual([gatewayErrors, outdated], [1, 1]);
  });

  it('leave no rounding error behind when nobody waits, and nothing of a thread that is gone', () => {
    const { main, observations, one, two } = threads();
    one.sent(1, 1e9 + 0.1);
    one.sent(1, 1e9 + 0.7);
    one.settled(1, 1e9 + 0.1);
    one.settled(1, 1e9 + 0.7);
    assert.equal(observations.read(1).sentAt, 0);
    two.sent(1, 5);
    two.answering(1, 1);
    main.takeOff(2);
    const { waiting, sentAt, answering } = observations.read(1);
    assert.deepEqual([waiting, sentAt, answering], [0, 0, 0]);
  });

  it('begin anew with another upstream in the same place', () => {
    const { main, observations, one } = threads();
    one.sent(1, 5);
    one.answered(1, 5);
    one.answering(1, 1);
    one.gatewayError(1, 0, 5, 1_000);
    main.clear(1, 7);
    assert.deepEqual(observations.read(1), {
      answers: 0,
      logMs: 0,
      gatewayErrors: 0,
      outdated: 0,
      waiting: 0,
      sentAt: 0,
      answering: 0,
    });
    assert.deepEqual([observations.streak(1, 5, 1_000), observations.takeSlowest(1)], [0, 0]);
  });
});
