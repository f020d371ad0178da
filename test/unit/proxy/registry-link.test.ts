import assert from 'node:assert/strict';
import { after, before, describe, it, mock } from 'node:test';
import type { HealthRecord } from '../../../internal/model/health.ts';
import type { Instance } from '../../../internal/model/instance.ts';
import type { EjectionRecord } from '../../../internal/model/ejection.ts';
import type { ServiceState } from '../../../internal/model/service-state.ts';
import { Fleet } from '../../../internal/proxy/fleet.ts';
import { RegistryLink } from '../../../internal/proxy/registry-link.ts';
import type {
  LatencyRecord,
  ProxyRecord,
  ProxyRegistry,
  ProxyReport,
  RegistryListener,
  Snapshot,
} from '../../../internal/registry/registry.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { MemoryStore } from '../alerts/support.ts';
import { settle } from '../../support/manual-clock.ts';
import { instance, service, serviceState } from '../../support/proxy-fakes.ts';
import { fleetListener } from '../../support/proxy-site.ts';

const LOG = createLogger({ name: 'test', level: 'silent' });
const RECORD: HealthRecord = {
  instanceId: 'a',
  incarnation: 'a#1',
  health: 'healthy',
  cause: 'passed',
  since: 0,
  proxyId: 'lb',
};

/** Remembers what it was asked, in order, and fails on demand. */
class FakeRegistry implements ProxyRegistry {
  readonly proxyId = 'lb';
  readonly alerts = new MemoryStore();
  readonly calls: string[] = [];
  readonly reports: ProxyReport[] = [];
  readonly saved: HealthRecord[] = [];
  present: Snapshot = snapshot(1, []);
  rows: ProxyRecord[] = [];
  ejected: EjectionRecord[] = [];
  broken = false;
  listener: RegistryListener | null = null;
  signal: AbortSignal | null = null;

  async saveSample(): Promise<void> {}

  async watchedUntil(): Promise<number> {
    return 0;
  }

  async report(report: ProxyReport): Promise<void> {
    this.#call('report');
    this.reports.push(report);
  }

  async snapshot(): Promise<Snapshot> {
    this.#call('snapshot');
    return this.present;
  }

  watch(listener: RegistryListener, signal: AbortSignal): void {
    this.calls.push('watch');
    this.listener = listener;
    this.signal = signal;
  }

  async health(): Promise<HealthRecord[]> {
    this.#call('health');
    return [RECORD];
  }

  async saveHealth(records: readonly HealthRecord[]): Promise<void> {
    this.#call('saveHealth');
    this.saved.push(...records);
  }

  async latencies(): Promise<LatencyRecord[]> {
    this.#call('latencies');
    return [];
  }

  async saveLatencies(): Promise<void> {
    this.#call('saveLatencies');
  }

  async ejections(): Promise<EjectionRecord[]> {
    this.#call('ejections');
    return this.ejected;
  }

  async saveEjections(records: readonly EjectionRecord[], over: readonly string[]): Promise<void> {
    this.#call('saveEjections');
    this.ejected = this.ejected.filter(({ instanceId }) => !over.includes(instanceId));
    for (const record of records) {
      this.ejected = [...this.ejected.filter(({ instanceId }) => instanceId !== record.instanceId), record];
    }
  }

  async proxies(): Promise<ProxyRecord[]> {
    this.#call('proxies');
    return this.rows;
  }

  stepBack(): void {
    this.calls.push('stepBack');
  }

  async withdraw(): Promise<void> {
    this.#call('withdraw');
  }

  async close(): Promise<void> {
    this.calls.push('close');
  }

  async manager(): Promise<null> {
    return null;
  }

  async events(): Promise<[]> {
    return [];
  }

  #call(name: string): void {
    this.calls.push(name);
    if (this.broken) throw new Error('the registry is locked');
  }
}

function snapshot(
  revision: number,
  instances: readonly Instance[],
  registryId = 'one',
  services: readonly ServiceState[] = [],
): Snapshot {
  return { registryId, revision, services, instances };
}

function proxy(id: string, startedAt: number, heartbeatAt = 100_000): ProxyRecord {
  return { id, pid: 1, startedAt, heartbeatAt, appliedRevision: null, inFlight: new Map() };
}

class Harness {
  readonly registry = new FakeRegistry();
  readonly alerts: string[] = [];
  readonly leading: boolean[] = [];
  readonly away: string[] = [];
  readonly fleet: Fleet;
  readonly link: RegistryLink;
  now = 100_000;

  constructor() {
    this.fleet = new Fleet({
      cookieSecret: 'a secret that is long enough',
      now: () => 0,
      log: LOG,
      listener: fleetListener({
        drained: () => this.link.reportSoon(),
        held: () => this.link.reportSoon(),
        ejectionsChanged: () => this.link.memory.saveEjectionsSoon(),
      }),
    });
    this.fleet.configure([service()]);
    this.link = new RegistryLink({
      registry: this.registry,
      fleet: this.fleet,
      alerts: { raise: ({ key }) => this.alerts.push(`! ${key}`), resolve: (key) => this.alerts.push(`ok ${key}`) },
      log: LOG,
      now: () => this.now,
      onLeading: (leading) => {
        this.leading.push(leading);
      },
      onAway: (nodes) => this.away.push([...nodes].join()),
    });
  }

  /** Started, with the given instances in force as revision 1. */
  static async started(...instances: Instance[]): Promise<Harness> {
    const harness = new Harness();
    const started = harness.link.start();
    await settle();
    harness.registry.listener?.changed(snapshot(1, instances));
    await started;
    await settle();
    return harness;
  }

  async changed(picture: Snapshot): Promise<void> {
    this.registry.present = picture;
    this.registry.listener?.changed(picture);
    await settle();
  }

  ids(): string[] {
    return [...this.fleet.pools()].flatMap((pool) => [...pool.upstreams()].map(({ id }) => id));
  }

  /** Lets a heartbeat pass. */
  async beat(): Promise<void> {
    mock.timers.tick(1_000);
    await settle();
    await settle();
  }
}

describe('the link to the registry', () => {
  before(() => mock.timers.enable({ apis: ['setInterval'] }));
  after(() => mock.timers.reset());

  const using = async (harness: Harness, test: (harness: Harness) => Promise<void>) => {
    try {
      await test(harness);
    } finally {
      await harness.link.stop();
    }
  };

  it('announces itself before it reads: a drain that begins in between waits for it', async () => {
    const harness = new Harness();
    const started = harness.link.start();
    await settle();
    assert.deepEqual(harness.registry.calls, ['report', 'ejections', 'health', 'latencies', 'watch']);
    const [{ appliedRevision, inFlight } = assert.fail(), ...others] = harness.registry.reports;
    assert.deepEqual([appliedRevision, inFlight, others], [null, new Map(), []]);
    harness.registry.listener?.changed(snapshot(4, [instance('a')]));
    await started;
    assert.deepEqual(harness.ids(), ['a']);
    assert.equal([...harness.fleet.pools()][0]?.get('a')?.health, 'healthy', 'health from before the restart');
    await harness.link.stop();
  });

  it('writes back which revision is in force, after it is', () =>
    using(new Harness(), async (harness) => {
      const started = harness.link.start();
      await settle();
      mock.method(harness.fleet, 'apply', () => harness.registry.calls.push('applied'), { times: 1 });
      harness.registry.listener?.changed(snapshot(4, [instance('a')]));
      await started;
      await settle();
      assert.deepEqual(harness.registry.calls.slice(-2), ['applied', 'report']);
      assert.equal(harness.registry.reports.at(-1)?.appliedRevision, 4);
      assert.equal(harness.link.appliedRevision, 4);
    }));

  it('tells the in-flight requests of draining instances with the revision, and every end at once', async () =>
    using(await Harness.started(instance('a')), async (harness) => {
      const [pool] = harness.fleet.pools();
      const lease = pool?.lease({ hash: () => 0, affinity: () => undefined, now: () => 0 }, []);
      await harness.changed(snapshot(2, [instance('a', { lifecycle: 'draining' })]));
      const told = () => {
        const { appliedRevision, inFlight } = harness.registry.reports.at(-1) ?? assert.fail();
        return [appliedRevision, inFlight];
      };
      assert.deepEqual(told(), [2, new Map([['a', 1]])]);
      lease?.release({ kind: 'completed', status: 200 });
      await settle();
      assert.deepEqual(told(), [2, new Map([['a', 0]])]);
    }));

  it('is overtaken by no older picture', async () =>
    using(await Harness.started(), async (harness) => {
      await harness.changed(snapshot(7, [instance('new')]));
      await harness.changed(snapshot(6, [instance('old')]));
      assert.deepEqual([harness.ids(), harness.link.appliedRevision], [['new'], 7]);
    }));

  it('keeps the last picture while the registry fails, with one alert, and recovers', async () =>
    using(await Harness.started(instance('a')), async (harness) => {
      harness.registry.listener?.failed(new Error('gone'));
      harness.registry.listener?.failed(new Error('still gone'));
      assert.deepEqual([harness.ids(), harness.link.available], [['a'], false]);
      assert.deepEqual(harness.alerts, ['! registry-unavailable']);
      await harness.changed(snapshot(2, [instance('a'), instance('b')]));
      assert.deepEqual(harness.alerts, ['! registry-unavailable', 'ok registry-unavailable']);
      assert.deepEqual([harness.ids(), harness.link.available], [['a', 'b'], true]);
    }));

  it('starts without a registry, and takes up its picture when it comes', async () => {
    const harness = new Harness();
    harness.registry.broken = true;
    const started = harness.link.start();
    await settle();
    harness.registry.listener?.failed(new Error('locked'));
    await started;
    assert.deepEqual(harness.alerts, ['! registry-unavailable']);
    harness.registry.broken = false;
    await harness.changed(snapshot(1, [instance('a')]));
    assert.deepEqual(harness.ids(), ['a']);
    await harness.link.stop();
  });

  it('keeps its instances when an empty registry takes the place of the old one, until it has some', async () =>
    using(await Harness.started(instance('a')), async (harness) => {
      await harness.changed(snapshot(1, [], 'two'));
      assert.deepEqual([harness.ids(), harness.link.appliedRevision], [['a'], 1]);
      await harness.changed(snapshot(0, [instance('b')], 'two'));
      assert.deepEqual([harness.ids(), harness.link.appliedRevision], [['b'], 0]);
    }));

  it('empties its pools when the same registry says that nothing is left', async () =>
    using(await Harness.started(instance('a')), async (harness) => {
      await harness.changed(snapshot(2, []));
      assert.deepEqual(harness.ids(), []);
    }));

  // After a pause (a suspended laptop) the manager has taken us for dead, and has perhaps stopped instances since.
  it('announces itself anew after a silence, and reads again before it believes a picture', async () =>
    using(await Harness.started(instance('a')), async (harness) => {
      harness.now += 60_000;
      harness.registry.present = snapshot(9, [instance('c')]);
      harness.registry.calls.length = 0;
      harness.registry.listener?.changed(snapshot(8, [instance('b')]));
      await settle();
      assert.deepEqual(harness.registry.calls.slice(0, 2), ['report', 'snapshot']);
      assert.deepEqual(harness.ids(), ['c']);
    }));

  it('would rather have the picture at hand than none when it cannot announce itself, and looks again when it can', async () =>
    using(await Harness.started(instance('a')), async (harness) => {
      harness.now += 60_000;
      harness.registry.broken = true;
      await harness.changed(snapshot(2, [instance('b')]));
      assert.deepEqual([harness.ids(), harness.link.available], [['b'], true]);
      harness.registry.broken = false;
      harness.registry.present = snapshot(3, [instance('c')]);
      await harness.beat();
      assert.deepEqual(harness.ids(), ['c']);
    }));

  it('does not claim a picture that it could not put in force', async () =>
    using(await Harness.started(instance('a')), async (harness) => {
      mock.method(harness.fleet, 'apply', () => assert.fail('a defect'), { times: 1 });
      await harness.changed(snapshot(2, [instance('b')]));
      assert.equal(harness.registry.reports.at(-1)?.appliedRevision, 1);
      await harness.changed(snapshot(3, [instance('b')]));
      assert.deepEqual([harness.ids(), harness.link.appliedRevision], [['b'], 3]);
    }));

  it('tells of the requests on instances while their service is being deployed, and of nobody else', async () =>
    using(await Harness.started(instance('a'), instance('b')), async (harness) => {
      assert.deepEqual(harness.registry.reports.at(-1)?.traffic, []);
      const rows = [instance('a'), instance('b')];
      await harness.changed(snapshot(2, rows, 'one', [serviceState({ deploying: 4 })]));
      const [pool] = harness.fleet.pools();
      const { incarnation, health: from } = pool?.get('b') ?? assert.fail();
      harness.fleet.healthChanged({ id: 'b', incarnation, from, to: 'healthy', cause: '', at: 0 });
      const context = { hash: () => 0, affinity: () => undefined, now: () => 0 };
      const leases = [1, 2, 3, 4].map(() => pool?.lease(context, []) ?? assert.fail());
      const onA = leases.filter(({ upstream }) => upstream.id === 'a');
      assert.equal(onA.length, 2);
      onA[0]?.release({ kind: 'completed', status: 500 });
      onA[1]?.release({ kind: 'completed', status: 200 });
      await harness.beat();
      assert.deepEqual(harness.registry.reports.at(-1)?.traffic, [
        { instanceId: 'a', incarnation: 'a#1', requests: 2, failures: 1, inFlight: 0 },
        { instanceId: 'b', incarnation: 'b#1', requests: 0, failures: 0, inFlight: 2 },
      ]);
      await harness.changed(snapshot(3, rows, 'one', [serviceState()]));
      assert.deepEqual(harness.registry.reports.at(-1)?.traffic, []);
      for (const lease of leases) lease.release({ kind: 'client-closed' });
    }));

  it('tells of the requests on instances whose number follows them', async () =>
    using(await Harness.started(instance('a')), async (harness) => {
      for (const settings of [{ autoscale: { max: 3 } }, { scaleFromZero: true }, { idleAfter: '5m' }]) {
        harness.fleet.configure([service(settings)]);
        await harness.beat();
        const ids = harness.registry.reports.at(-1)?.traffic?.map(({ instanceId }) => instanceId);
        assert.deepEqual(ids, ['a'], JSON.stringify(settings));
      }
    }));

  it('tells how many requests came to every service, and at once when one is held', async () =>
    using(await Harness.started(instance('a')), async (harness) => {
      const { registry, fleet } = harness;
      await harness.changed(snapshot(2, [instance('a')], 'one', [serviceState({ pausedSince: 7 })]));
      assert.deepEqual(registry.reports.at(-1)?.demand, [{ service: 'web', waiting: 0, requests: 0 }]);
      const seeker = { turn: () => {} };
      const context = { hash: () => 0, affinity: () => undefined, now: () => 0 };
      const waiting = [1, 2, 3].map(() => fleet.pool('web')?.acquire(context, [], seeker));
      const before = registry.reports.length;
      await settle();
      assert.deepEqual(registry.reports.at(-1)?.demand, [{ service: 'web', waiting: 3, requests: 3 }]);
      assert.equal(registry.reports.length, before + 1, 'once, not once for each request');
      for (const each of waiting) if (each !== undefined && typeof each === 'object' && 'cancel' in each) each.cancel();
      await harness.beat();
      assert.deepEqual(registry.reports.at(-1)?.demand, [{ service: 'web', waiting: 0, requests: 3 }]);
    }));

  it('reports with every heartbeat, and keeps health that could not be saved for the next', async () =>
    using(await Harness.started(), async (harness) => {
      const { registry } = harness;
      registry.reports.length = 0;
      registry.broken = true;
      harness.link.memory.saveHealth(RECORD);
      harness.link.memory.saveHealth({ ...RECORD, health: 'unhealthy' });
      await harness.beat();
      assert.deepEqual([registry.reports, registry.saved], [[], []]);
      registry.broken = false;
      await harness.beat();
      assert.equal(registry.reports.length, 1);
      assert.deepEqual(registry.saved, [{ ...RECORD, health: 'unhealthy' }]);
    }));

  it('keeps what is ejected in the registry, and forgets it there when it is over', async () =>
    using(await Harness.started(instance('a'), instance('b')), async (harness) => {
      const pool = harness.fleet.pool('web') ?? assert.fail();
      const upstream = pool.get('a') ?? assert.fail();
      const ejection = { cause: 'it fails', since: 1, until: 2, times: 1 };
      harness.registry.broken = true;
      harness.fleet.judge(pool, upstream, 'ejected', ejection);
      await settle();
      assert.deepEqual(harness.registry.ejected, []);
      harness.registry.broken = false;
      await harness.beat();
      assert.deepEqual(harness.registry.ejected, [{ instanceId: 'a', incarnation: 'a#1', ...ejection }]);
      harness.fleet.judge(pool, upstream, 'in', null);
      await settle();
      assert.deepEqual(harness.registry.ejected, []);
    }));

  it('forgets what was ejected again while it was being forgotten, when that is over, too', async () =>
    using(await Harness.started(instance('a')), async (harness) => {
      const pool = harness.fleet.pool('web') ?? assert.fail();
      const upstream = pool.get('a') ?? assert.fail();
      const ejection = { cause: 'it fails', since: 1, until: 2, times: 1 };
      const eject = () => harness.fleet.judge(pool, upstream, 'ejected', ejection);
      const readmit = () => harness.fleet.judge(pool, upstream, 'in', null);
      eject();
      await settle();
      const { registry } = harness;
      const save = registry.saveEjections.bind(registry);
      mock.method(
        registry,
        'saveEjections',
        async (...saved: Parameters<typeof save>) => {
          eject(); // while its readmission is being written
          await save(...saved);
        },
        { times: 1 },
      );
      readmit();
      await settle();
      assert.equal(registry.ejected.length, 1);
      readmit();
      await settle();
      assert.deepEqual(registry.ejected, []);
    }));

  it('begins with what was ejected before it, and forgets that, too, when it is over', async () => {
    const harness = new Harness();
    const ejection = { cause: 'it fails', since: 1, until: 2, times: 3 };
    harness.registry.ejected = [{ instanceId: 'a', incarnation: 'a#1', ...ejection }];
    const started = harness.link.start();
    await settle();
    harness.registry.listener?.changed(snapshot(1, [instance('a'), instance('b')]));
    await started;
    const pool = harness.fleet.pool('web') ?? assert.fail();
    const upstream = pool.get('a') ?? assert.fail();
    assert.deepEqual([upstream.standing, upstream.ejection], ['ejected', ejection]);
    harness.fleet.judge(pool, upstream, 'in', null);
    await settle();
    assert.deepEqual(harness.registry.ejected, []);
    await harness.link.stop();
  });

  it('tells when the registry has taken no report for longer than a heartbeat may be old, and when it takes them again', async () =>
    using(await Harness.started(), async (harness) => {
      harness.registry.broken = true;
      await harness.beat();
      assert.deepEqual([harness.alerts, harness.link.available], [[], true], 'a short lock is nothing to tell');
      harness.now += 6_000;
      await harness.beat();
      await harness.beat();
      assert.deepEqual([harness.alerts, harness.link.available], [['! registry-read-only'], false]);
      harness.registry.broken = false;
      await harness.beat();
      assert.deepEqual(harness.alerts, ['! registry-read-only', 'ok registry-read-only']);
      assert.equal(harness.link.available, true);
    }));

  it('speaks for all when it has been alive the longest, and when nobody can be asked', async () =>
    using(await Harness.started(), async (harness) => {
      harness.registry.rows = [proxy('other', 4), proxy('lb', 5)];
      await harness.beat();
      harness.registry.rows = [proxy('other', 4, 90_000), proxy('lb', 5)];
      await harness.beat();
      harness.registry.rows = [proxy('other', 4), proxy('lb', 5)];
      await harness.beat();
      harness.registry.broken = true;
      await harness.beat();
      harness.now += 300_001;
      await harness.beat();
      assert.deepEqual(harness.leading, [false, true, false, false, true]);
    }));

  it('leaves it to the one that spoke last to tell that the registry is away, unless it lasts', async () =>
    using(await Harness.started(), async (harness) => {
      const fails = async () => {
        harness.registry.rows = [proxy('other', 4), proxy('lb', 5)];
        await harness.beat();
        harness.registry.broken = true;
        harness.registry.listener?.failed(new Error('gone'));
        await harness.beat();
      };
      await fails();
      assert.deepEqual([harness.alerts, harness.link.available], [[], false]);
      harness.registry.broken = false;
      await harness.changed(snapshot(2, [instance('a')]));
      assert.deepEqual(harness.alerts, [], 'of what nobody has heard of nobody hears the end');
      await fails();
      harness.now += 300_001;
      await harness.beat();
      await harness.beat();
      assert.deepEqual(harness.alerts, ['! registry-unavailable']);
    }));

  it('tells which nodes are away, before their instances are gone, and once', async () =>
    using(await Harness.started(instance('a')), async (harness) => {
      await harness.changed({ ...snapshot(2, [instance('a')]), away: ['b'] });
      await harness.changed({ ...snapshot(3, [instance('a')]), away: ['b'] });
      await harness.changed({ ...snapshot(4, [instance('a')]), away: [] });
      assert.deepEqual(harness.away, ['b', '']);
    }));

  it('withdraws when it stops, and is silent from then on', async () => {
    const harness = await Harness.started(instance('a'));
    await harness.link.stop();
    assert.deepEqual(harness.registry.calls.slice(-2), ['withdraw', 'close']);
    assert.ok(harness.registry.signal?.aborted);
    const { length } = harness.registry.calls;
    const said = harness.leading.length;
    harness.link.reportSoon();
    await harness.changed(snapshot(2, [instance('b')]));
    await harness.beat();
    assert.deepEqual([harness.ids(), harness.registry.calls.length], [['a'], length]);
    assert.equal(harness.leading.length, said);
  });

  it('stops all the same when the registry does not let it go', async () => {
    const harness = await Harness.started();
    harness.registry.broken = true;
    await harness.link.stop();
    assert.equal(harness.registry.calls.at(-1), 'close');
  });
});
