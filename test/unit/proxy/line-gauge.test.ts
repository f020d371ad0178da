import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GAUGE_NUMBERS, LineGauge } from '../../../internal/proxy/line-gauge.ts';

const QUEUE = { limit: 1_000, timeout: 1_000, shed: true };

/** A line that has been moving by one turn every so many milliseconds since 0. */
function moving(msPerTurn: number, until: number): LineGauge {
  const gauge = new LineGauge(new Float64Array(2 * GAUGE_NUMBERS), 1);
  gauge.restart(0);
  move(gauge, msPerTurn, 0, until);
  return gauge;
}

function move(gauge: LineGauge, msPerTurn: number, from: number, until: number): void {
  for (let now = from + msPerTurn; now <= until; now += msPerTurn) gauge.turn(now);
}

function refuses(gauge: LineGauge, ahead: number, now: number, { running = 0, queue = QUEUE } = {}): boolean {
  return gauge.refuses(ahead, () => running, queue, now);
}

describe('the gauge of a line', () => {
  it('refuses whoever would wait in vain, and nobody else', () => {
    const gauge = moving(5, 500);
    assert.equal(refuses(gauge, 200, 500), false);
    assert.equal(refuses(gauge, 201, 500), true);
    assert.equal(refuses(gauge, 1_000, 500, { queue: { ...QUEUE, shed: false } }), false);
  });

  // Two hundred requests of a second each end all at once when they have begun all at once.
  it('allows for all that runs to end the moment after', () => {
    const gauge = moving(5, 500);
    assert.equal(refuses(gauge, 250, 500, { running: 50 }), false);
    assert.equal(refuses(gauge, 251, 500, { running: 50 }), true);
  });

  it('refuses nobody while it knows too little, or while nothing moves', () => {
    assert.equal(refuses(moving(5, 45), 900, 45), false);
    assert.equal(refuses(moving(5, 500), 900, 3_000), false);
    assert.equal(moving(5, 500).wait(100, 3_000), 0);
  });

  it('forgets what was before the line, and before it was held', () => {
    const gauge = moving(5, 500);
    assert.equal(refuses(gauge, 0, 600), false);
    assert.equal(gauge.wait(100, 600), 0);
    const held = moving(5, 500);
    held.restart(600);
    assert.equal(refuses(held, 900, 700), false);
  });

  it('follows a line that becomes slower', () => {
    const gauge = moving(5, 1_000);
    move(gauge, 50, 1_000, 4_000);
    const wait = gauge.wait(10, 4_000);
    assert.ok(wait >= 450 && wait <= 550, `${wait} ms for ten`);
  });

  it('makes nobody wait for long once somebody has waited in vain, until so long nobody had to go', () => {
    const gauge = moving(1, 999);
    assert.equal(gauge.patience(QUEUE, 999), 1_000);
    assert.equal(gauge.inVain(QUEUE, 1_000), 'busy');
    assert.equal(gauge.patience(QUEUE, 1_001), 50);
    assert.equal(gauge.inVain(QUEUE, 1_100), 'shed');
    move(gauge, 1, 1_100, 2_099);
    assert.equal(gauge.patience(QUEUE, 2_099), 50);
    assert.equal(gauge.patience(QUEUE, 2_100), 1_000);
  });

  it('stands for as long as it has to refuse', () => {
    const gauge = moving(1, 999);
    gauge.inVain(QUEUE, 1_000);
    move(gauge, 1, 1_000, 1_900);
    assert.equal(refuses(gauge, 100, 1_900), true);
    move(gauge, 1, 1_900, 2_899);
    assert.equal(gauge.patience(QUEUE, 2_899), 50);
    assert.equal(gauge.patience(QUEUE, 2_900), 1_000);
  });

  it('keeps as many in a line that stands as keep the upstreams busy', () => {
    const gauge = moving(20, 980);
    gauge.inVain(QUEUE, 1_000);
    assert.ok(gauge.patience(QUEUE, 1_000) >= 200, 'ten turns');
    const idle = new LineGauge(new Float64Array(GAUGE_NUMBERS), 0);
    idle.inVain(QUEUE, 10);
    assert.equal(idle.patience(QUEUE, 10), 1_000);
    assert.equal(idle.inVain({ ...QUEUE, shed: false }, 10), 'busy');
  });
});
