import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type FallenSilent,
  type HealthChange,
  HealthMonitor,
  type MonitorTarget,
} from '../../../internal/health/monitor.ts';
import type { ProbeResult } from '../../../internal/health/probe.ts';
import { type HealthCheck, HealthCheckSchema } from '../../../internal/model/health-check.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { type PromisedProbe, startOf } from '../../support/promised-probe.ts';
import { seededRandom } from '../algorithms/candidates.ts';

const CHECK = HealthCheckSchema.parse({}); // every 1 s, rise 2, fall 3
const PASS: ProbeResult = { passed: true, cause: 'passed (200 in 1 ms)', elapsedMs: 1 };
const FAIL: ProbeResult = { passed: false, cause: 'status 503', elapsedMs: 1 };
const NO_HOST: ProbeResult = { passed: false, cause: 'connect timeout after 500 ms', elapsedMs: 500 };
const NO_APP: ProbeResult = { passed: false, cause: 'timeout after 500 ms', elapsedMs: 500 };

const log = createLogger({ name: 'test', level: 'silent', pretty: false });

function target(port: number, changes: Partial<MonitorTarget> = {}): MonitorTarget {
  return { host: '127.0.0.1', port, check: CHECK, incarnation: `${port}#1`, ...changes };
}

interface Call {
  readonly port: number;
  readonly at: number;
  readonly check: HealthCheck;
  readonly signal: AbortSignal;
}

/** A monitor whose probes answer what `answers` says of their port, and pass otherwise. */
function setUp(probe?: PromisedProbe, random = () => 0.5) {
  const clock = new ManualClock();
  const start = clock.now();
  const calls: Call[] = [];
  const changes: HealthChange[] = [];
  const silent: FallenSilent[] = [];
  const answers = new Map<number, ProbeResult>();
  const monitor = new HealthMonitor({
    startProbe: startOf((where, check, signal) => {
      calls.push({ port: where.port, at: clock.now() - start, check, signal });
      return probe ? probe(where, check, signal) : Promise.resolve(answers.get(where.port) ?? PASS);
    }),
    clock,
    random,
    onTransition: (change) => changes.push(change),
    onSilent: (fallen) => silent.push(fallen),
    log,
  });
  const set = (...targets: MonitorTarget[]) => monitor.set(new Map(targets.map((item) => [`i${item.port}`, item])));
  const times = (port: number) => calls.filter((call) => call.port === port).map((call) => call.at);
  const steps = () => changes.map(({ id, from, to, cause }) => `${id} ${from} > ${to}: ${cause}`);
  return { clock, start, calls, changes, silent, answers, monitor, set, times, steps };
}

describe('an instance that is new', () => {
  it('is unknown, probed at once, and healthy with its first pass', async () => {
    const { clock, start, changes, monitor, set } = setUp();
    set(target(1));
    assert.equal(monitor.health('i1'), 'unknown');
    await clock.advance(0);
    assert.equal(monitor.health('i1'), 'healthy');
    assert.deepEqual(changes, [
      { id: 'i1', incarnation: '1#1', from: 'unknown', to: 'healthy', cause: PASS.cause, at: start },
    ]);
  });

  it('is unhealthy with its first failure', async () => {
    const { clock, answers, set, steps } = setUp();
    answers.set(1, FAIL);
    set(target(1));
    await clock.advance(0);
    assert.deepEqual(steps(), ['i1 unknown > unhealthy: status 503']);
  });

  it('starts with the health it was last known to have', async () => {
    const { clock, answers, monitor, set, steps } = setUp();
    answers.set(1, FAIL);
    set(target(1, { initial: 'healthy' }), target(2, { initial: 'unhealthy' }), target(3, { initial: 'ejected' }));
    assert.deepEqual(
      ['i1', 'i2', 'i3'].map((id) => monitor.health(id)),
      ['healthy', 'unhealthy', 'unknown'],
    );
    await clock.advance(200);
    assert.deepEqual(steps(), ['i3 unknown > healthy: passed (200 in 1 ms)']);
    await clock.advance(400);
    assert.deepEqual(steps().slice(1), [
      'i2 unhealthy > healthy: passed (200 in 1 ms)',
      'i1 healthy > unhealthy: status 503',
    ]);
  });

  it('does not wait for others, and many do not start in the same instant', async () => {
    const { clock, set, calls } = setUp();
    set(target(1), target(2), target(3));
    await clock.advance(100);
    assert.deepEqual(
      calls.map(({ port, at }) => [port, at]),
      [
        [1, 0],
        [2, 5],
        [3, 10],
      ],
    );
  });
});

describe('the pace of probes', () => {
  it('is the interval while all is well', async () => {
    const { clock, set, times } = setUp();
    set(target(1));
    await clock.advance(3_000);
    assert.deepEqual(times(1), [0, 1_000, 2_000, 3_000]);
  });

  it('is fast from the first failure until the fall, and from the first pass until the rise', async () => {
    const { clock, answers, set, times, changes, start } = setUp();
    set(target(1));
    await clock.advance(0);
    answers.set(1, FAIL);
    await clock.advance(1_500); // fails at 1000, 1250, 1500
    answers.set(1, PASS);
    await clock.advance(1_500); // passes at 2500, 2750
    assert.deepEqual(times(1), [0, 1_000, 1_250, 1_500, 2_500, 2_750]);
    assert.deepEqual(
      changes.map(({ to, at }) => [to, at - start]),
      [
        ['healthy', 0],
        ['unhealthy', 1_500],
        ['healthy', 2_750],
      ],
    );
  });

  it('never has two probes of one instance at a time', async () => {
    const waiting: ((result: ProbeResult) => void)[] = [];
    const { clock, set, calls } = setUp(() => new Promise((resolve) => waiting.push(resolve)));
    set(target(1));
    await clock.advance(10_000);
    assert.equal(calls.length, 1);
    set(target(1, { incarnation: '1#2' })); // gives the running probe up, yet waits for its end
    await clock.advance(10_000);
    assert.equal(calls.length, 1);
    waiting[0]?.(FAIL);
    await clock.advance(0);
    assert.equal(calls.length, 2);
  });

  it('lets a few probes share a wake-up, however many instances there are', async () => {
    const { clock, set, calls } = setUp(undefined, seededRandom());
    set(...Array.from({ length: 1_000 }, (_, port) => target(port)));
    await clock.advance(5_000);
    const started = calls.map(({ at }) => at).filter((at) => at > 2_000);
    const groups = Map.groupBy(started, (at) => at);
    const sizes = [...groups.values()].map((group) => group.length);
    assert.ok(Math.max(...sizes) <= 60, `${Math.max(...sizes)} probes in one instant`);
    assert.ok(groups.size <= 160, `${groups.size} instants in 3 s`);
  });
});

describe('a thousand instances', () => {
  /** The most probes that start within any 10 ms. */
  const densest = (times: readonly number[]) => {
    const counts = new Map<number, number>();
    for (const at of times) counts.set(Math.floor(at / 10), (counts.get(Math.floor(at / 10)) ?? 0) + 1);
    return Math.max(...counts.values());
  };
  const everybody = (changes: Partial<MonitorTarget> = {}) =>
    Array.from({ length: 1_000 }, (_, port) => target(port, changes));

  it('are not probed in one burst: not at first, not later, not when all have failed, not with other settings', async () => {
    const { clock, set, calls, answers } = setUp(undefined, seededRandom());
    set(...everybody());
    await clock.advance(3_000);
    for (const { port } of everybody()) answers.set(port, FAIL);
    await clock.advance(2_000);
    set(...everybody({ check: { ...CHECK, path: '/up' } }));
    await clock.advance(2_000);
    const starts = calls.map(({ at }) => at);
    assert.ok(starts.length > 7_000);
    // 10 per 10 ms are 1,000 a second; while all are being decided it is four times as many.
    assert.ok(densest(starts.filter((at) => at < 3_000)) <= 60, `${densest(starts)} in 10 ms`);
    assert.ok(densest(starts) <= 120, `${densest(starts)} in 10 ms`);
  });

  it('are never probed twice at a time, whatever happens meanwhile', async () => {
    const random = seededRandom();
    const running = new Map<number, number>();
    let most = 0;
    let started = 0;
    const { clock, monitor, set } = setUp(async ({ port }) => {
      started += 1;
      running.set(port, (running.get(port) ?? 0) + 1);
      most = Math.max(most, running.get(port) ?? 0);
      const { promise, resolve } = Promise.withResolvers<void>();
      clock.after(random() * 1_500, resolve);
      await promise;
      running.set(port, (running.get(port) ?? 0) - 1);
      return random() < 0.7 ? PASS : FAIL;
    }, random);
    const some = Array.from({ length: 20 }, (_, port) => port);
    let version = 0;
    for (let step = 0; step < 200; step++) {
      const chance = random();
      if (chance < 0.2) version += 1;
      if (chance < 0.5) set(...some.map((port) => target(port, { incarnation: `${port}#${version}` })));
      else monitor.reportFailure(`i${Math.floor(random() * some.length)}`, 'connect ECONNREFUSED');
      await clock.advance(random() * 100);
    }
    assert.equal(most, 1);
    assert.ok(started > 100, `${started} probes`);
  });
});

describe('a changed set', () => {
  it('leaves the state and the timers of unchanged instances alone', async () => {
    const { clock, set, times, steps } = setUp();
    set(target(1));
    await clock.advance(900);
    set(target(1, { check: HealthCheckSchema.parse({}) }), target(2)); // equal settings in another object
    await clock.advance(100);
    assert.deepEqual(times(1), [0, 1_000]);
    assert.deepEqual(steps(), [
      'i1 unknown > healthy: passed (200 in 1 ms)',
      'i2 unknown > healthy: passed (200 in 1 ms)',
    ]);
  });

  it('stops probing what is gone, and drops its running probe', async () => {
    let finish: ((result: ProbeResult) => void) | undefined;
    const { clock, set, calls, changes, monitor } = setUp(() => new Promise((resolve) => (finish = resolve)));
    set(target(1));
    await clock.advance(0);
    set();
    assert.equal(calls[0]?.signal.aborted, true);
    finish?.(PASS);
    await clock.advance(5_000);
    assert.equal(calls.length, 1);
    assert.deepEqual(changes, []);
    assert.equal(monitor.health('i1'), 'unknown');
    assert.equal(clock.pending, 0);
  });

  it('makes a new incarnation unknown and probes it at once', async () => {
    const { clock, answers, set, times, steps, monitor } = setUp();
    answers.set(1, FAIL);
    set(target(1));
    await clock.advance(500);
    answers.set(1, PASS);
    set(target(1, { incarnation: '1#2' }));
    assert.equal(monitor.health('i1'), 'unknown');
    await clock.advance(0);
    assert.deepEqual(times(1), [0, 500]);
    assert.deepEqual(steps().slice(1), [
      'i1 unhealthy > unknown: another process',
      'i1 unknown > healthy: passed (200 in 1 ms)',
    ]);
  });

  it('drops the result of a probe that was sent to an earlier incarnation', async () => {
    const waiting: ((result: ProbeResult) => void)[] = [];
    const { clock, set, calls, steps, monitor } = setUp(() => new Promise((resolve) => waiting.push(resolve)));
    set(target(1));
    await clock.advance(0);
    set(target(1, { incarnation: '1#2' }));
    assert.equal(calls[0]?.signal.aborted, true);
    waiting[0]?.(PASS);
    await clock.advance(0);
    assert.equal(monitor.health('i1'), 'unknown');
    waiting[1]?.(FAIL);
    await settle();
    assert.deepEqual(steps(), ['i1 unknown > unhealthy: status 503']);
  });

  it('takes over new check settings, keeps the health, and does not wait for the old interval', async () => {
    const { clock, set, calls, monitor, answers } = setUp();
    set(target(1, { check: { ...CHECK, interval: 3_600_000 } }));
    await clock.advance(100);
    answers.set(1, FAIL);
    set(target(1, { check: { ...CHECK, path: '/up', fall: 1 } }));
    assert.equal(monitor.health('i1'), 'healthy');
    await clock.advance(0);
    assert.equal(calls[1]?.at, 100);
    assert.equal(calls[1]?.check.path, '/up');
    assert.equal(monitor.health('i1'), 'unhealthy');
  });
});

describe('a failed connect of a request', () => {
  it('takes the instance down at once and probes it fast', async () => {
    const { clock, set, times, steps, monitor } = setUp();
    set(target(1));
    await clock.advance(100);
    monitor.reportFailure('i1', 'connect ECONNREFUSED');
    assert.equal(monitor.health('i1'), 'unhealthy');
    await clock.advance(500);
    assert.deepEqual(times(1), [0, 350, 600]);
    assert.deepEqual(steps().slice(1), [
      'i1 healthy > unhealthy: connect ECONNREFUSED',
      'i1 unhealthy > healthy: passed (200 in 1 ms)',
    ]);
  });

  it('makes a pass worthless that was under way', async () => {
    const waiting: ((result: ProbeResult) => void)[] = [];
    const { clock, set, monitor } = setUp(() => new Promise((resolve) => waiting.push(resolve)));
    set(target(1, { check: { ...CHECK, rise: 1 } }));
    await clock.advance(0);
    monitor.reportFailure('i1', 'connect ECONNREFUSED');
    waiting[0]?.(PASS);
    await clock.advance(0);
    assert.equal(monitor.health('i1'), 'unhealthy');
    await clock.advance(250);
    waiting[1]?.(PASS);
    await settle();
    assert.equal(monitor.health('i1'), 'healthy');
  });

  it('is one change and no delay of the next probe, however many requests fail', async () => {
    const { clock, set, times, changes, monitor, answers } = setUp();
    set(target(1));
    await clock.advance(100);
    answers.set(1, FAIL);
    for (let report = 0; report < 30; report++) {
      monitor.reportFailure('i1', 'connect ECONNREFUSED');
      await clock.advance(10);
    }
    assert.deepEqual(times(1), [0, 350]);
    assert.equal(changes.length, 2);
  });

  it('is no news about an instance that is not in the set', () => {
    const { monitor, changes } = setUp();
    monitor.reportFailure('gone', 'connect ECONNREFUSED');
    assert.deepEqual(changes, []);
  });
});

describe('the first round', () => {
  it('is over when each instance of the present set was probed', async () => {
    const { clock, set, monitor } = setUp((where) =>
      where.port === 2 ? new Promise(() => {}) : Promise.resolve(PASS),
    );
    let over = false;
    set(target(1), target(2));
    void monitor.firstRound().then(() => (over = true));
    await clock.advance(2_000);
    assert.equal(over, false);
    set(target(1));
    await settle();
    assert.equal(over, true);
  });

  it('is over at once when there is nothing to probe, and when the monitor is stopped', async () => {
    const { set, monitor } = setUp();
    await monitor.firstRound();
    set(target(1));
    const round = monitor.firstRound();
    monitor.stop();
    await round;
  });
});

describe('an instance that answers nobody any more', () => {
  const rescue = (when: HealthCheck['rescue']) => ({ check: HealthCheckSchema.parse({ rescue: when }) });

  it('is told with the check that takes it down, once until it is up again', async () => {
    const { clock, answers, set, silent, steps } = setUp();
    set(target(1));
    await clock.advance(0);
    answers.set(1, NO_HOST);
    await clock.advance(1_250); // two of three
    assert.deepEqual(silent, []);
    await clock.advance(5_000);
    assert.deepEqual(silent, [{ id: 'i1', incarnation: '1#1', silence: 'host', cause: NO_HOST.cause }]);
    answers.set(1, PASS);
    await clock.advance(5_000);
    answers.set(1, NO_HOST);
    await clock.advance(5_000);
    assert.equal(silent.length, 2);
    assert.equal(steps().length, 4);
  });

  it('is told by a check, not by a request that could not connect: its listener may have been busy', async () => {
    const { clock, answers, set, silent, monitor } = setUp();
    set(target(1));
    await clock.advance(0);
    answers.set(1, NO_HOST);
    monitor.reportFailure('i1', 'connect ETIMEDOUT');
    assert.deepEqual(silent, []);
    await clock.advance(250);
    assert.equal(silent.length, 1);
  });

  it('is told later when only later checks find that its host is gone', async () => {
    const { clock, answers, set, silent } = setUp();
    set(target(1, rescue('silent')), target(2));
    await clock.advance(500);
    for (const port of [1, 2]) answers.set(port, NO_APP);
    await clock.advance(3_000);
    const told = () => silent.map(({ id, silence }) => `${id} ${silence}`);
    assert.deepEqual(told(), ['i1 app']); // the other has a host that takes connections
    for (const port of [1, 2]) answers.set(port, NO_HOST);
    await clock.advance(3_000);
    for (const port of [1, 2]) answers.set(port, NO_APP);
    await clock.advance(3_000);
    assert.deepEqual(told().toSorted(), ['i1 app', 'i1 host', 'i2 host']);
  });

  it('is not told when nobody wants it, nor when somebody answers badly', async () => {
    const { clock, answers, set, silent } = setUp();
    set(target(1, rescue('never')), target(2, rescue('silent')), target(3, rescue('silent')));
    answers.set(1, NO_HOST);
    answers.set(2, FAIL);
    answers.set(3, { ...FAIL, cause: 'connect ECONNREFUSED' });
    await clock.advance(5_000);
    assert.deepEqual(silent, []);
  });

  it('is told again of another process', async () => {
    const { clock, answers, set, silent } = setUp();
    answers.set(1, NO_HOST);
    set(target(1));
    await clock.advance(100);
    set(target(1, { incarnation: '1#2' }));
    await clock.advance(100);
    assert.deepEqual(
      silent.map(({ incarnation }) => incarnation),
      ['1#1', '1#2'],
    );
  });
});

describe('what cannot end the probing', () => {
  it('is a probe that throws: it counts as a failure', async () => {
    const { clock, set, times, steps } = setUp(() => {
      throw new Error('broken probe');
    });
    set(target(1));
    await clock.advance(1_000);
    assert.deepEqual(times(1), [0, 1_000]);
    assert.deepEqual(steps(), ['i1 unknown > unhealthy: broken probe']);
  });

  it('is a listener that throws', async () => {
    const clock = new ManualClock();
    let probes = 0;
    const monitor = new HealthMonitor({
      startProbe: startOf(async () => {
        probes += 1;
        return PASS;
      }),
      clock,
      random: () => 0.5,
      onTransition: () => {
        throw new Error('broken listener');
      },
      log,
    });
    monitor.set(new Map([['i1', target(1)]]));
    await clock.advance(1_000);
    assert.equal(monitor.health('i1'), 'healthy');
    assert.equal(probes, 2);
  });
});

it('stop aborts running probes, leaves no timer, and reports nothing any more', async () => {
  let finish: ((result: ProbeResult) => void) | undefined;
  const { clock, set, calls, changes, monitor } = setUp((where) =>
    where.port === 1 ? new Promise((resolve) => (finish = resolve)) : Promise.resolve(PASS),
  );
  set(target(1), target(2));
  await clock.advance(10);
  monitor.stop();
  assert.equal(calls[0]?.signal.aborted, true);
  finish?.(FAIL);
  set(target(3));
  await clock.advance(5_000);
  assert.equal(clock.pending, 0);
  assert.equal(calls.length, 2);
  assert.deepEqual(
    changes.map(({ id }) => id),
    ['i2'],
  );
});

it('a listener may stop the monitor', async () => {
  const clock = new ManualClock();
  const monitor: HealthMonitor = new HealthMonitor({
    startProbe: startOf(async () => PASS),
    clock,
    random: () => 0.5,
    onTransition: () => monitor.stop(),
    log,
  });
  monitor.set(new Map([['i1', target(1)]]));
  await clock.advance(0);
  assert.equal(clock.pending, 0);
});
