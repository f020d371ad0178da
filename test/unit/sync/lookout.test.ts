import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import type { ProbeResult, StartProbe } from '../../../internal/health/probe.ts';
import { ServiceSchema } from '../../../internal/model/service.ts';
import { Lookout } from '../../../internal/sync/lookout.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

const SERVICES = [
  ServiceSchema.parse({ name: 'web', servers: ['10.0.0.7:80', '10.0.0.8:80'], healthCheck: { interval: '10s' } }),
];
const SNAPSHOT = { registryId: 'r', revision: 1, services: [], instances: [] };

/** @param answer - to a probe of a host, `passed` or a cause; null: none yet. */
function setUp(answer: (host: string, type: string) => string | null) {
  const clock = new ManualClock();
  let changes = 0;
  const hanging: ((result: ProbeResult) => void)[] = [];
  const answerAll = (result: ProbeResult) => hanging.splice(0).forEach((done) => done(result));
  const startProbe: StartProbe = (target, { type }, done) => {
    const cause = answer(target.host, type);
    if (cause === null) hanging.push(done);
    else queueMicrotask(() => done({ passed: cause === 'passed', cause, elapsedMs: 1 }));
    return { abort() {} };
  };
  const lookout = new Lookout(SERVICES, {
    startProbe,
    clock,
    random: () => 0.5,
    log: pino({ level: 'silent' }),
    onChange: () => (changes += 1),
    onHealth() {},
  });
  const states = () => lookout.picture()?.services[0]?.servers.map(({ host, state }) => `${host} ${state}`) ?? null;
  return { lookout, clock, states, answerAll, changes: () => changes };
}

describe('the lookout', () => {
  it('has no picture before the registry has one, and each server was checked', async () => {
    const { lookout, clock, states } = setUp(() => 'passed');
    assert.equal(states(), null);
    lookout.apply(SNAPSHOT);
    assert.equal(states(), null);
    await clock.advance(600);
    assert.deepEqual(states(), ['10.0.0.7 up', '10.0.0.8 up']);
  });

  it('does not wait for one that hangs', async () => {
    const { lookout, clock, states } = setUp((host) => (host === '10.0.0.7' ? 'passed' : null));
    lookout.apply(SNAPSHOT);
    await clock.advance(1_000);
    assert.deepEqual(states(), ['10.0.0.7 up']);
  });

  it('waits for those who hang where nobody else is known: a front must not lose all that it has', async () => {
    const { lookout, clock, states, answerAll } = setUp(() => null);
    lookout.apply(SNAPSHOT);
    await clock.advance(1_500);
    assert.equal(states(), null);
    answerAll({ passed: true, cause: 'passed', elapsedMs: 1_500 });
    await settle();
    assert.deepEqual(states(), ['10.0.0.7 up', '10.0.0.8 up']);
    lookout.stop();
  });

  it('begins with what is remembered of the same process', async () => {
    const { lookout, clock, states } = setUp(() => null);
    const known = { health: 'healthy', cause: 'passed', since: 1, proxyId: 'p' } as const;
    lookout.remember([{ ...known, instanceId: 'web@10.0.0.7:80', incarnation: 'web@10.0.0.7:80#0' }]);
    lookout.apply(SNAPSHOT);
    await clock.advance(1_000);
    assert.deepEqual(states(), ['10.0.0.7 up']);
  });

  it('takes one to whom nobody can connect out at the first failed check, within 600 ms', async () => {
    let dead = 'passed';
    const { lookout, clock, states, changes } = setUp((host) => (host === '10.0.0.7' ? 'passed' : dead));
    lookout.apply(SNAPSHOT);
    await clock.advance(2_000);
    const before = changes();
    dead = 'connect ECONNREFUSED';
    await clock.advance(600);
    assert.deepEqual(states(), ['10.0.0.7 up', '10.0.0.8 down']);
    assert.ok(changes() > before);
    dead = 'passed';
    await clock.advance(1_000);
    assert.deepEqual(states(), ['10.0.0.7 up', '10.0.0.8 up']);
  });

  it('tells a host that is gone from an app that is slow', async () => {
    let [http, tcp] = ['passed', 'timeout after 200 ms'];
    const { lookout, clock, states } = setUp((host, type) =>
      host === '10.0.0.7' ? 'passed' : type === 'tcp' ? tcp : http,
    );
    lookout.apply(SNAPSHOT);
    await clock.advance(2_000);
    http = 'timeout after 500 ms';
    await clock.advance(600);
    assert.deepEqual(states(), ['10.0.0.7 up', '10.0.0.8 down']);

    [http, tcp] = ['passed', 'passed'];
    await clock.advance(2_000);
    http = 'timeout after 500 ms';
    await clock.advance(500); // fewer than `fall` checks
    assert.deepEqual(states(), ['10.0.0.7 up', '10.0.0.8 up']);
    await clock.advance(1_500);
    assert.deepEqual(states(), ['10.0.0.7 up', '10.0.0.8 down']);
  });

  it('checks whatever the configuration says next', async () => {
    const { lookout, clock, states } = setUp(() => 'passed');
    lookout.apply(SNAPSHOT);
    await clock.advance(1_000);
    lookout.configure([ServiceSchema.parse({ name: 'web', servers: ['10.0.0.9:80'] })]);
    await clock.advance(100);
    assert.deepEqual(states(), ['10.0.0.9 up']);
    lookout.stop();
  });
});
