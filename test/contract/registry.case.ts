import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { hasCode } from '../../internal/model/errors.ts';
import type { HeimdallEvent } from '../../internal/model/event.ts';
import type { HealthRecord } from '../../internal/model/health.ts';
import type { ProcessIdentity } from '../../internal/model/instance.ts';
import {
  HEARTBEAT_LIMIT_MS,
  type InstanceDraft,
  type ProxyRegistry,
  type RegistryWriter,
} from '../../internal/registry/registry.ts';
import { SAMPLES_KEPT_MS } from '../../internal/model/traffic-sample.ts';
import { WebhookChannelSchema } from '../../pkg/alerts/schema.ts';
import type { Alert } from '../../pkg/alerts/alert.ts';
import type { AlertBook } from '../../pkg/alerts/book.ts';
import type { Delivery, Outage } from '../../pkg/alerts/store.ts';
import { RegistryRecorder } from '../support/registry-recorder.ts';
import { sample } from '../support/traffic-sample.ts';

/** One fresh, empty store, which several handles can open. */
export interface StoreUnderTest {
  /** `clock` is the handle's; epoch milliseconds. */
  openManager(clock: () => number): Promise<RegistryWriter>;
  openProxy(proxyId: string, clock: () => number): ProxyRegistry;
  /** That its handles keep. */
  readonly mostRequestKeys: number;
  /** How many commits of desired state there were up to a revision; a driver may leave out numbers. */
  ordinal(revision: number): Promise<number>;
  /** Lets the time pass that the clocks of the handles have gone on by. */
  pass(ms: number): Promise<void>;
  /** After every handle was closed. */
  dispose(): Promise<void>;
}

const PORTS = Array.from({ length: 100 }, (_, index) => 9_000 + index);
const DAY_MS = 86_400_000;
const IDENTITY: ProcessIdentity = { pid: 4_711, startTime: '123', bootId: 'boot', token: 'token' };
const DRAFT: InstanceDraft = {
  service: 'web',
  host: '127.0.0.1',
  node: null,
  weight: 2,
  version: 'v1',
  variant: 'blue',
  deployment: 7,
  env: { MODE: 'test' },
};
const EVENT: HeimdallEvent = {
  at: 1_000,
  type: 'instance.added',
  service: 'web',
  instanceId: 'web-9000-abcdef',
  message: 'added',
  data: { nested: { list: [1, 'two'] } },
};

const OUTAGE: Outage = {
  id: 'outage-1',
  alert: { key: 'instance-down:web/a', severity: 'warning', title: 'a is down', cause: 'x', service: 'web', at: 5_000 },
  resolvedAt: null,
  told: true,
  announced: [5_000.5],
  occurrences: 1,
  open: true,
};
const DELIVERY: Delivery = {
  channel: 'webhook example.org',
  notification: {
    id: 'message-1',
    at: 1_000_000,
    level: 'warning',
    subject: 'a is down',
    text: 'WARNING: a is down',
    entries: [{ alert: OUTAGE.alert, state: 'firing', resolvedAt: null, occurrences: 1 }],
  },
};
const NO_CHANGES = { outages: [], released: [], made: [], settled: [] };

/** What every registry driver must do. */
export function registryContract(name: string, createStore: () => Promise<StoreUnderTest>): void {
  describe(`registry contract: ${name}`, () => {
    let store: StoreUnderTest;
    let manager: RegistryWriter;
    let proxy: ProxyRegistry;
    let now = 1_000_000;
    const clock = () => now;
    const pass = async (ms: number) => {
      now += ms;
      await store.pass(ms);
    };

    beforeEach(async () => {
      store = await createStore();
      manager = await store.openManager(clock);
      proxy = store.openProxy('proxy-a', clock);
    });
    afterEach(async () => {
      await proxy.close();
      await manager.close();
      await store.dispose();
    });

    async function reserveOne(draft: Partial<InstanceDraft> = {}) {
      const [instance] = await manager.reserve([{ ...DRAFT, ...draft }], PORTS, 1);
      assert.ok(instance);
      return instance;
    }
    async function revision(): Promise<number> {
      return store.ordinal((await manager.snapshot()).revision);
    }
    async function desiredOf(service: string) {
      return (await proxy.snapshot()).services.find((state) => state.service === service)?.desired;
    }

    describe('a fresh store', () => {
      it('is an empty picture at revision 0 with an id that both sides see', async () => {
        const picture = await manager.snapshot();
        assert.deepEqual({ ...picture, registryId: '' }, { registryId: '', revision: 0, services: [], instances: [] });
        assert.ok(picture.registryId.length > 0);
        assert.equal((await proxy.snapshot()).registryId, picture.registryId);
      });

      it('keeps its id and content when every handle was closed', async () => {
        const instance = await reserveOne();
        const before = await manager.snapshot();
        await proxy.close();
        await manager.close();
        manager = await store.openManager(clock);
        proxy = store.openProxy('proxy-a', clock);
        assert.deepEqual(await manager.snapshot(), before);
        assert.deepEqual((await proxy.snapshot()).instances, [instance]);
      });
    });

    describe('reserve', () => {
      it('gives starting rows on the first free ports, in order', async () => {
        const instances = await manager.reserve([DRAFT, DRAFT, DRAFT], [9_005, 9_001, 9_003, 9_004], 3);
        assert.deepEqual(
          instances.map(({ port }) => port),
          [9_005, 9_001, 9_003],
        );
        const [first] = instances;
        assert.match(first?.id ?? '', /^web-9005-[0-9a-z]{6}$/);
        assert.deepEqual(first, {
          ...DRAFT,
          id: first?.id,
          port: 9_005,
          agent: null,
          lifecycle: 'starting',
          process: null,
          startedAt: null,
          restarts: 0,
          lastError: null,
        });
        assert.deepEqual((await proxy.snapshot()).instances, instances);
      });

      it('counts one revision for all rows, and adds to the desired count in the same commit', async () => {
        await manager.reserve([DRAFT, DRAFT], PORTS, 2);
        assert.equal(await revision(), 1);
        assert.equal(await desiredOf('web'), 2);
        await manager.reserve([DRAFT], PORTS, 0);
        assert.equal(await desiredOf('web'), 2);
      });

      it('skips ports that rows hold on the same host only', async () => {
        await reserveOne();
        assert.equal((await reserveOne()).port, 9_001);
        assert.equal((await reserveOne({ host: '127.0.0.2' })).port, 9_000);
      });

      it('inserts nothing when the ports do not suffice', async () => {
        await reserveOne();
        const before = await manager.snapshot();
        const ports = [9_000, 9_001];
        await assert.rejects(manager.reserve([DRAFT, DRAFT], ports, 2), (error) => {
          assert.ok(hasCode(error, 'NO_FREE_PORT'));
          assert.deepEqual(error.context.ports, ports);
          return true;
        });
        assert.deepEqual(await manager.snapshot(), before);
      });

      it('gives fifty distinct ports and ids to fifty concurrent calls', async () => {
        const calls = Array.from({ length: 50 }, () => manager.reserve([DRAFT], PORTS, 1));
        const instances = (await Promise.all(calls)).flat();
        assert.equal(new Set(instances.map(({ port }) => port)).size, 50);
        assert.equal(new Set(instances.map(({ id }) => id)).size, 50);
        assert.equal(await desiredOf('web'), 50);
        assert.equal(await revision(), 50);
      });

      it('takes hundreds at once, or none', async () => {
        const ports = Array.from({ length: 260 }, (_, index) => 9_000 + index);
        const drafts = ports.map(() => DRAFT);
        const refused = manager.reserve(drafts, ports.slice(1), 260);
        await assert.rejects(refused, (error) => hasCode(error, 'NO_FREE_PORT'));
        assert.equal(await revision(), 0);
        const instances = await manager.reserve(drafts, ports, 260);
        assert.deepEqual(
          instances.map(({ port }) => port),
          ports,
        );
        assert.deepEqual((await proxy.snapshot()).instances, instances);
        assert.equal(await desiredOf('web'), 260);
      });

      it('refuses a row that readers could not read', async () => {
        await assert.rejects(reserveOne({ weight: 0 }), (error) => hasCode(error, 'INVALID_REQUEST'));
        assert.equal(await revision(), 0);
      });
    });

    describe('update', () => {
      it('changes every field it is given and returns the revision of the change', async () => {
        const instance = await reserveOne();
        const change = {
          lifecycle: 'ready',
          port: 9_050,
          weight: 7,
          process: IDENTITY,
          startedAt: 77,
          restarts: 2,
          lastError: 'exit 1',
        } as const;
        const updated = await manager.update(instance.id, change);
        assert.deepEqual(updated.instance, { ...instance, ...change });
        assert.equal(await store.ordinal(updated.revision), 2);
        const picture = await proxy.snapshot();
        assert.equal(picture.revision, updated.revision);
        assert.deepEqual(picture.instances, [updated.instance]);
      });

      it('leaves the revision alone when nothing changes', async () => {
        const { id } = await reserveOne();
        const first = await manager.update(id, { lifecycle: 'ready', process: IDENTITY });
        const again = await manager.update(id, { lifecycle: 'ready', process: { ...IDENTITY } });
        assert.equal(again.revision, first.revision);
        assert.equal(await revision(), 2);
      });

      it('adds to the desired count in the same commit', async () => {
        const { id } = await reserveOne();
        const { revision: at } = await manager.update(id, { lifecycle: 'draining', desiredDelta: -1 });
        assert.equal(await store.ordinal(at), 2);
        assert.equal(await desiredOf('web'), 0);
      });

      it('refuses a step that the lifecycle table forbids', async () => {
        const { id } = await reserveOne();
        await manager.update(id, { lifecycle: 'draining' });
        await assert.rejects(manager.update(id, { lifecycle: 'ready', desiredDelta: 5 }), (error) => {
          assert.ok(hasCode(error, 'LIFECYCLE_CONFLICT'));
          assert.match(error.message, /draining.*ready/);
          return true;
        });
        assert.equal(await desiredOf('web'), 1);
        assert.equal(await revision(), 2);
      });

      it('refuses a port that another row holds, and frees the one it leaves', async () => {
        const [first, second] = await manager.reserve([DRAFT, DRAFT], PORTS, 2);
        assert.ok(first && second);
        await assert.rejects(manager.update(second.id, { port: 9_000 }), (error) => hasCode(error, 'PORT_TAKEN'));
        await manager.update(first.id, { port: 9_010 });
        assert.equal((await manager.update(second.id, { port: 9_000 })).instance.port, 9_000);
      });

      it('refuses an unknown id', async () => {
        await assert.rejects(manager.update('nobody', { weight: 1 }), (error) => hasCode(error, 'INSTANCE_NOT_FOUND'));
      });
    });

    describe('remove and desired counts', () => {
      it('deletes the row, frees its port and takes it off the desired count', async () => {
        const { id } = await reserveOne();
        await manager.remove(id, -1);
        assert.deepEqual((await proxy.snapshot()).instances, []);
        assert.equal(await desiredOf('web'), 0);
        assert.equal(await revision(), 2);
        assert.equal((await reserveOne()).port, 9_000);
      });

      it('does nothing for an unknown id', async () => {
        await reserveOne();
        await manager.remove('nobody', -1);
        assert.equal(await desiredOf('web'), 1);
        assert.equal(await revision(), 1);
      });

      it('stores a desired count, and counts a revision only when it differs', async () => {
        await manager.changeService('web', { desired: 3, configured: 2 });
        await manager.changeService('web', { desired: 3, configured: 2 });
        const picture = await proxy.snapshot();
        assert.deepEqual(picture.services, [
          {
            service: 'web',
            desired: 3,
            configured: 2,
            release: { deployment: null, version: null, variant: null, env: {} },
            overrides: {},
            pausedSince: null,
            scheduled: null,
            deploying: null,
          },
        ]);
        assert.equal(await store.ordinal(picture.revision), 1);
      });

      it('keeps what else is changed of a service, and tells the revision of it', async () => {
        const change = {
          release: { deployment: 3, version: 'v2', variant: 'blue', env: { A: '1' } },
          overrides: { algorithm: { value: 'least-time', over: 'round-robin' }, weight: 3 },
          pausedSince: 5,
          scheduled: 6,
        } as const;
        assert.equal(await store.ordinal(await manager.changeService('web', change)), 1);
        assert.equal(await store.ordinal(await manager.changeService('web', { desired: 2 })), 2);
        const [state] = (await proxy.snapshot()).services;
        assert.deepEqual(state, { service: 'web', desired: 2, configured: 0, deploying: null, ...change });
      });

      it('revises a service as its present state says, and changes nothing when that throws', async () => {
        await manager.changeService('web', { desired: 2 });
        const more = () => manager.reviseService('web', ({ desired }) => ({ desired: desired + 1 }));
        const [first, second] = await Promise.all([more(), more()]);
        assert.deepEqual([first.before.desired, first.after.desired, await store.ordinal(first.revision)], [2, 3, 2]);
        assert.deepEqual(
          [second.before.desired, second.after.desired, await store.ordinal(second.revision)],
          [3, 4, 3],
        );
        const refused = manager.reviseService('web', () => {
          throw new Error('not like this');
        });
        await assert.rejects(refused, /not like this/);
        const same = await manager.reviseService('web', () => ({ desired: 4 }));
        assert.deepEqual([same.before, same.revision], [second.after, second.revision]);
        const fresh = await manager.reviseService('api', () => ({ pausedSince: 5 }));
        assert.deepEqual([fresh.before.pausedSince, fresh.after.pausedSince], [null, 5]);
        assert.equal(await desiredOf('web'), 4);
      });

      it('never lets a desired count fall below zero', async () => {
        const { id } = await reserveOne();
        await manager.remove(id, -5);
        assert.equal(await desiredOf('web'), 0);
      });

      it('forgets a service but not its instances', async () => {
        await reserveOne();
        await manager.forgetService('web');
        await manager.forgetService('web');
        const picture = await proxy.snapshot();
        assert.deepEqual(picture.services, []);
        assert.equal(picture.instances.length, 1);
        assert.equal(await store.ordinal(picture.revision), 2);
      });
    });

    describe('deployments', () => {
      const release = { deployment: null, version: 'v2', variant: null, env: { A: '1' } };
      const draft = { service: 'web', kind: 'deploy', release, by: 'somebody', queue: false } as const;

      it('begin in the queue, with their own number in the release', async () => {
        const first = await manager.createDeployment(draft);
        assert.deepEqual(first, {
          id: first.id,
          service: 'web',
          kind: 'deploy',
          state: 'queued',
          release: { ...release, deployment: first.id },
          previous: null,
          by: 'somebody',
          createdAt: now,
          startedAt: null,
          finishedAt: null,
          reason: null,
          node: first.node,
          nodes: first.node === null ? [] : [first.node],
          givenUp: null,
        });
        assert.deepEqual(await manager.deployment(first.id), first);
        assert.deepEqual(await manager.deploymentParts(first.id), [first]);
      });

      it('are refused while another one of the service is not over, unless they may wait', async () => {
        const { id } = await manager.createDeployment(draft);
        await assert.rejects(manager.createDeployment(draft), (error) => hasCode(error, 'DEPLOYMENT_RUNNING'));
        await manager.createDeployment({ ...draft, service: 'api' });
        const second = await manager.createDeployment({ ...draft, queue: true });
        assert.deepEqual(
          (await manager.deployments({ limit: 10, service: 'web', active: true })).map((each) => each.id),
          [second.id, id],
        );
        await manager.changeDeployment(id, { state: 'succeeded' });
        await manager.changeDeployment(second.id, { state: 'failed' });
        await manager.createDeployment(draft);
        assert.equal((await manager.deployments({ limit: 2 })).length, 2);
      });

      it('change together with their service, in one revision that readers see', async () => {
        const { id } = await manager.createDeployment(draft);
        const at = await revision();
        const previous = { deployment: null, version: null, variant: null, env: {} };
        const running = await manager.changeDeployment(
          id,
          { state: 'running', previous, startedAt: 9 },
          { desired: 4 },
        );
        assert.deepEqual([running.state, running.previous, running.startedAt], ['running', previous, 9]);
        const picture = await proxy.snapshot();
        assert.equal(await store.ordinal(picture.revision), at + 1);
        assert.deepEqual(
          picture.services.map((state) => [state.service, state.desired, state.deploying]),
          [['web', 4, id]],
        );
        await manager.changeDeployment(id, { state: 'failed', reason: 'why', finishedAt: 10 });
        assert.equal((await proxy.snapshot()).services[0]?.deploying, null);
        await assert.rejects(manager.changeDeployment(99, {}), (error) => hasCode(error, 'DEPLOYMENT_NOT_FOUND'));
        await assert.rejects(manager.deployment(99), (error) => hasCode(error, 'DEPLOYMENT_NOT_FOUND'));
      });

      it('stay as they ended', async () => {
        const { id } = await manager.createDeployment(draft);
        await manager.changeDeployment(id, { state: 'failed', reason: 'why', finishedAt: 10 });
        const over = await manager.deployment(id);
        assert.deepEqual(await manager.changeDeployment(id, { state: 'running' }, { desired: 9 }), over);
        assert.deepEqual([await manager.deployment(id), (await manager.own()).services], [over, []]);
      });

      it('are skipped when they are given up before they have begun', async () => {
        const { id } = await manager.createDeployment(draft);
        await manager.giveUpDeployment(id, 'given up by ann');
        const { state, reason, finishedAt } = await manager.deployment(id);
        assert.deepEqual([state, reason, finishedAt], ['skipped', 'given up by ann', now]);
        await assert.rejects(manager.giveUpDeployment(99, ''), (error) => hasCode(error, 'DEPLOYMENT_NOT_FOUND'));
      });

      it('tell which release is in force, and go by number', async () => {
        assert.deepEqual(await manager.releases('web'), []);
        const first = await manager.createDeployment(draft);
        await manager.changeDeployment(first.id, { state: 'succeeded', finishedAt: 10 }, { release: first.release });
        const second = await manager.createDeployment(draft);
        assert.deepEqual(
          (await manager.releases('web')).map((each) => each.release),
          [first.release],
        );
        assert.deepEqual(await manager.allDeployments({ limit: 5, service: 'web' }), [
          [second],
          [await manager.deployment(first.id)],
        ]);
        assert.deepEqual(await manager.allDeployments({ limit: 5, active: true }), [[second]]);
      });

      it('keep their steps in order', async () => {
        const { id } = await manager.createDeployment(draft);
        const step = { deployment: id, at: 5, message: 'one', instanceId: 'web-1', logTail: ['a', 'b'] };
        const one = await manager.recordStep(step);
        const two = await manager.recordStep({ ...step, message: 'two', instanceId: null, logTail: [] });
        assert.deepEqual(one, { id: one.id, ...step, node: one.node });
        assert.deepEqual(await manager.deploymentSteps(id, 0), [one, two]);
        assert.deepEqual(await manager.deploymentSteps(id, one.id), [two]);
        assert.deepEqual(await manager.deploymentSteps(id + 1, 0), []);
      });

      it('lose their steps with the events of that age, but not before they are over', async () => {
        const { id } = await manager.createDeployment(draft);
        const step = { deployment: id, at: 5, message: 'one', instanceId: null, logTail: [] };
        await manager.recordStep(step);
        const late = await manager.recordStep({ ...step, at: 15 });
        assert.equal(await manager.pruneEvents(10), 0);
        assert.equal((await manager.deploymentSteps(id, 0)).length, 2);
        await manager.changeDeployment(id, { state: 'succeeded', finishedAt: 15 });
        await manager.pruneEvents(10);
        assert.deepEqual(await manager.deploymentSteps(id, 0), [late]);
        assert.equal((await manager.deployment(id)).state, 'succeeded');
      });
    });

    describe('what load balancers tell', () => {
      const traffic = { instanceId: 'web-1', incarnation: 'web-1#1', requests: 10, failures: 2, inFlight: 3 };
      const demand = { service: 'web', waiting: 1, requests: 20 };
      const unseen = { service: 'zoo', waiting: 0, requests: null };
      const report = { appliedRevision: 0, inFlight: new Map(), traffic: [traffic], demand: [demand, unseen] };

      it('is their last report, as long as they live', async () => {
        await proxy.report({ ...report, traffic: [] });
        await proxy.report(report);
        const [told] = await manager.traffic();
        assert.equal(told?.proxyId, 'proxy-a');
        assert.partialDeepStrictEqual(told, { instances: [traffic], services: [demand, unseen] });
        await pass(HEARTBEAT_LIMIT_MS + 1);
        assert.deepEqual(await manager.traffic(), []);
        await proxy.report(report);
        await proxy.withdraw();
        assert.deepEqual(await manager.traffic(), []);
      });

      it('includes the latencies that a later one begins with', async () => {
        const record = { instanceId: 'web-1', incarnation: 'web-1#1', cost: 12.5, at: now };
        await proxy.saveLatencies([{ ...record, cost: 1 }]);
        await proxy.saveLatencies([record]);
        assert.deepEqual(await proxy.latencies(), [record]);
        await pass(DAY_MS + 1);
        await proxy.saveLatencies([]);
        assert.deepEqual(await proxy.latencies(), []);
      });
    });

    describe('samples of the traffic', () => {
      /** A driver may keep fewer than it is given. */
      const known = async (since: number) =>
        (await manager.samples(since)).map(({ until, instances }) => ({ until, instances }));
      const latencies = [3, 7, 100, 1];

      it('tells the last reading of each, oldest first, after a time, and nothing that was not saved', async () => {
        const first = sample({ proxyId: 'proxy-a', from: now - 20_000, until: now - 5_000, requests: 8, inFlight: 2 });
        const early = sample({ proxyId: 'proxy-a', from: now - 5_000, until: now - 3_000, requests: 1, waiting: 3 });
        const late = {
          ...early,
          until: now,
          instances: early.instances.map((each) => ({ ...each, requests: 2, latencies })),
        };
        for (const each of [first, early, late]) await proxy.saveSample(each);
        for (const since of [0, now - 5_000, now]) {
          const wanted = [first, late].filter(({ until }) => until > since);
          const told = await manager.samples(since);
          assert.deepEqual(
            told,
            wanted.filter(({ until }) => told.some((each) => each.until === until)),
          );
        }
      });

      it('outlive their load balancer, but not a quarter of an hour', async () => {
        const other = store.openProxy('proxy-b', clock);
        await other.report({ appliedRevision: 0, inFlight: new Map() });
        await other.saveSample(sample({ proxyId: 'proxy-b', from: now - 5_000, until: now }));
        const before = await known(0);
        await other.withdraw();
        await other.close();
        assert.deepEqual(await known(0), before);
        await pass(SAMPLES_KEPT_MS + 1);
        await proxy.saveSample(sample({ proxyId: 'proxy-a', from: now - 1, until: now }));
        assert.ok((await known(0)).every(({ until }) => until === now));
      });

      it('are wanted until the manager says', async () => {
        assert.equal(await proxy.watchedUntil(), 0);
        await manager.noteWatched(now + 15_000);
        await manager.noteWatched(now + 20_000);
        assert.equal(await proxy.watchedUntil(), now + 20_000);
      });

      it('change no revision', async () => {
        await manager.noteWatched(now);
        await proxy.saveSample(sample({ proxyId: 'proxy-a', from: now - 1, until: now }));
        assert.equal(await revision(), 0);
      });
    });

    describe('ejections', () => {
      const HOUR_MS = 3_600_000;
      const ejection = (id: string, until: number) => {
        const words = { instanceId: id, incarnation: `${id}#1`, cause: '5 gateway errors in a row' };
        return { ...words, since: now, until, times: 2 };
      };

      it('are those saved last, without those that are over', async () => {
        const [first, second] = [ejection('web-1', now + 1), ejection('web-2', now + 2)];
        await proxy.saveEjections([{ ...first, times: 1 }, second], []);
        await proxy.saveEjections([first], ['web-2', 'web-9']);
        assert.deepEqual(await proxy.ejections(), [first]);
      });

      it('are forgotten an hour after their end', async () => {
        await proxy.saveEjections([ejection('web-1', now + 10_000)], []);
        await pass(10_000 + HOUR_MS);
        assert.equal((await proxy.ejections()).length, 1);
        await pass(1);
        assert.deepEqual(await proxy.ejections(), []);
      });
    });

    describe('watch', () => {
      let stop: AbortController;
      let recorder: RegistryRecorder;
      beforeEach(() => {
        stop = new AbortController();
        recorder = new RegistryRecorder();
      });
      afterEach(() => stop.abort());

      it('delivers the first picture, then one for every change of desired state', async () => {
        proxy.watch(recorder, stop.signal);
        assert.equal((await recorder.picture()).revision, 0);
        const instance = await reserveOne();
        assert.deepEqual((await recorder.picture(({ revision: at }) => at > 0)).instances, [instance]);
        await manager.changeService('api', { desired: 1, configured: 1 });
        await recorder.picture(({ services }) => services.some(({ service }) => service === 'api'));
        assert.deepEqual(recorder.failures, []);
      });

      it('shows a side its own commits', async () => {
        manager.watch(recorder, stop.signal);
        await recorder.picture();
        await reserveOne();
        await recorder.picture(({ instances }) => instances.length === 1);
      });

      it('stays silent about commits that leave the revision alone', async () => {
        proxy.watch(recorder, stop.signal);
        await recorder.picture();
        await manager.heartbeat();
        await manager.recordEvent(EVENT);
        await proxy.report({ appliedRevision: 0, inFlight: new Map() });
        await reserveOne();
        await recorder.picture(({ revision: at }) => at > 0);
        const told = await Promise.all(recorder.pictures.map(({ revision: at }) => store.ordinal(at)));
        assert.deepEqual(told, [0, 1]);
      });

      it('ends with its signal while another watch goes on', async () => {
        const other = new RegistryRecorder();
        const ended = new AbortController();
        proxy.watch(recorder, ended.signal);
        proxy.watch(other, stop.signal);
        await Promise.all([recorder.picture(), other.picture()]);
        ended.abort();
        await reserveOne();
        const { revision: first } = await other.picture(({ revision: at }) => at > 0);
        await manager.changeService('api', { desired: 1, configured: 1 });
        await other.picture(({ revision: at }) => at > first);
        assert.equal(recorder.told.length, 1);
      });

      it('survives a listener that throws', async () => {
        const throwing = {
          changed: () => assert.fail('a defect of the listener'),
          failed: (error: Error) => recorder.failed(error),
        };
        proxy.watch(throwing, stop.signal);
        proxy.watch(recorder, stop.signal);
        await recorder.picture();
        await reserveOne();
        await recorder.picture(({ revision: at }) => at > 0);
        assert.deepEqual(recorder.failures, []);
      });
    });

    describe('proxies', () => {
      it('shows a load balancer from its first report on, before it has a picture', async () => {
        assert.deepEqual(await manager.proxies(), []);
        await proxy.report({ appliedRevision: null, inFlight: new Map() });
        const [record] = await manager.proxies();
        assert.equal(record?.id, 'proxy-a');
        assert.equal(record.appliedRevision, null);
        assert.equal(record.heartbeatAt, now);
        assert.equal(record.startedAt, now);
      });

      it('shows the applied revision always together with the counts of the same report', async () => {
        await proxy.report({ appliedRevision: 4, inFlight: new Map([['web-1', 3]]) });
        const second = store.openProxy('proxy-b', clock);
        await second.report({ appliedRevision: 5, inFlight: new Map([['web-1', 1]]) });
        await pass(1_000);
        await proxy.report({ appliedRevision: 6, inFlight: new Map([['web-2', 2]]) });
        const records = await manager.proxies();
        assert.deepEqual(
          records.map(({ id, appliedRevision, inFlight }) => [id, appliedRevision, [...inFlight]]),
          [
            ['proxy-a', 6, [['web-2', 2]]],
            ['proxy-b', 5, [['web-1', 1]]],
          ],
        );
        assert.equal(records[0]?.heartbeatAt, now);
        assert.equal(records[0].startedAt, now - 1_000);
        await second.close();
      });

      it('tells of the one first that has been there for the longest, until it steps back', async () => {
        const ids = async () => (await manager.proxies()).map(({ id }) => id);
        await proxy.report({ appliedRevision: null, inFlight: new Map() });
        await pass(1);
        const second = store.openProxy('proxy-0', clock);
        await second.report({ appliedRevision: null, inFlight: new Map() });
        await pass(1);
        proxy.stepBack();
        assert.deepEqual(await ids(), ['proxy-a', 'proxy-0'], 'not before its next report');
        await proxy.report({ appliedRevision: null, inFlight: new Map() });
        assert.deepEqual(await ids(), ['proxy-0', 'proxy-a']);
        const seenByOne = (await second.proxies()).map(({ id }) => id);
        assert.deepEqual(seenByOne, ['proxy-0', 'proxy-a']);
        await second.close();
      });

      it('keeps the order of concurrent reports', async () => {
        const revisions = Array.from({ length: 20 }, (_, index) => index);
        await Promise.all(revisions.map((appliedRevision) => proxy.report({ appliedRevision, inFlight: new Map() })));
        assert.equal((await manager.proxies())[0]?.appliedRevision, 19);
      });

      it('does not change the revision', async () => {
        await proxy.report({ appliedRevision: 0, inFlight: new Map([['x', 1]]) });
        await proxy.saveHealth([]);
        await proxy.withdraw();
        assert.equal(await revision(), 0);
      });

      it('forgets a load balancer and its counts when it withdraws', async () => {
        await proxy.report({ appliedRevision: 1, inFlight: new Map([['web-1', 3]]) });
        await proxy.withdraw();
        assert.deepEqual(await manager.proxies(), []);
        await proxy.report({ appliedRevision: 2, inFlight: new Map() });
        assert.deepEqual([...((await manager.proxies())[0]?.inFlight ?? [])], []);
      });

      it('sweeps out load balancers that have been silent for more than a minute at the first report of another', async () => {
        await proxy.report({ appliedRevision: 1, inFlight: new Map([['web-1', 3]]) });
        await pass(60_000);
        const second = store.openProxy('proxy-b', clock);
        await second.report({ appliedRevision: 1, inFlight: new Map() });
        assert.equal((await manager.proxies()).length, 2);
        await pass(1);
        const third = store.openProxy('proxy-c', clock);
        await third.report({ appliedRevision: 1, inFlight: new Map() });
        assert.deepEqual((await manager.proxies()).map(({ id }) => id).sort(), ['proxy-b', 'proxy-c']);
        await second.close();
        await third.close();
      });
    });

    describe('health', () => {
      const record = (instanceId: string, part: Partial<HealthRecord> = {}): HealthRecord => ({
        instanceId,
        incarnation: `${instanceId}#1`,
        health: 'healthy',
        cause: 'passed',
        since: 5,
        proxyId: 'proxy-a',
        ...part,
      });

      it('keeps the last record of each instance', async () => {
        await proxy.saveHealth([record('a'), record('b')]);
        const changed = record('b', { health: 'unhealthy', cause: 'status 503', since: 9, incarnation: 'b#2' });
        await proxy.saveHealth([changed]);
        assert.deepEqual(await manager.health(), [record('a'), changed]);
        assert.deepEqual(await proxy.health(), [record('a'), changed]);
        assert.deepEqual(await manager.health('unhealthy'), [changed]);
        assert.deepEqual(await manager.health('ejected'), []);
      });

      it('forgets after a day what neither has a row nor was saved again', async () => {
        const { id } = await reserveOne();
        await proxy.saveHealth([record(id), record('declared'), record('removed')]);
        await pass(DAY_MS);
        await proxy.saveHealth([record('declared')]);
        assert.equal((await manager.health()).length, 3);
        await pass(1);
        await proxy.saveHealth([]);
        assert.deepEqual((await manager.health()).map(({ instanceId }) => instanceId).sort(), ['declared', id].sort());
      });
    });

    describe('manager', () => {
      it('is known from opening on, and by its heartbeat', async () => {
        const opened = await proxy.manager();
        assert.equal(opened?.startedAt, opened?.heartbeatAt);
        await pass(HEARTBEAT_LIMIT_MS);
        await manager.heartbeat();
        assert.deepEqual(await proxy.manager(), { pid: opened?.pid, startedAt: opened?.startedAt, heartbeatAt: now });
      });

      it('counts as gone when its heartbeat is too old', async () => {
        await pass(HEARTBEAT_LIMIT_MS);
        assert.notEqual(await proxy.manager(), null);
        await pass(1);
        assert.equal(await proxy.manager(), null);
      });

      it('is gone when it closed in order', async () => {
        await manager.close();
        assert.equal(await proxy.manager(), null);
      });

      it('is refused while another one is open, and let in after that', async () => {
        await assert.rejects(store.openManager(clock), (error) => hasCode(error, 'MANAGER_RUNNING'));
        await reserveOne();
        await manager.close();
        manager = await store.openManager(clock);
        assert.equal((await manager.snapshot()).instances.length, 1);
      });
    });

    describe('events', () => {
      it('come back as they were, newest first, with growing ids', async () => {
        await manager.recordEvent(EVENT);
        await manager.recordEvent({ ...EVENT, at: 2_000, type: 'manager.started', service: null, instanceId: null });
        const events = await proxy.events({ limit: 10 });
        assert.deepEqual(
          events.map(({ at, type }) => [at, type]),
          [
            [2_000, 'manager.started'],
            [1_000, 'instance.added'],
          ],
        );
        const [newer, older] = events;
        assert.ok(newer && older && newer.id > older.id);
        assert.deepEqual(older, { ...EVENT, id: older.id });
        assert.equal(await revision(), 0);
      });

      it('can be asked for by number, service and time', async () => {
        for (const at of [1, 2, 3, 4]) await manager.recordEvent({ ...EVENT, at, service: at % 2 ? 'odd' : 'even' });
        const times = async (query: Parameters<RegistryWriter['events']>[0]) =>
          (await manager.events(query)).map(({ at }) => at);
        assert.deepEqual(await times({ limit: 2 }), [4, 3]);
        assert.deepEqual(await times({ limit: 9, service: 'odd' }), [3, 1]);
        assert.deepEqual(await times({ limit: 9, since: 3 }), [4, 3]);
        assert.deepEqual(await times({ limit: 9, service: 'even', since: 3 }), [4]);
        await manager.recordEvent({ ...EVENT, at: 5, type: 'instance.ready', data: { actor: 'ann' } });
        assert.deepEqual(await times({ limit: 2, type: 'instance' }), [5, 4]);
        assert.deepEqual(await times({ limit: 9, type: 'instance.r' }), [5]);
        assert.deepEqual(await times({ limit: 9, type: '%' }), []);
        assert.deepEqual(await times({ limit: 9, actor: 'ann' }), [5]);
        assert.deepEqual(await times({ limit: 9, actor: 'an', since: 1 }), []);
      });

      it('are counted by service, and the latest are told', async () => {
        for (const at of [1, 2, 3, 4, 5]) {
          const service = at % 2 ? 'odd' : 'even';
          await manager.recordEvent({ ...EVENT, at, service, message: `at ${at}`, type: 'instance.exited' });
        }
        await manager.recordEvent({ ...EVENT, at: 5, service: 'odd', type: 'instance.ready' });
        await manager.recordEvent({ ...EVENT, at: 5, service: null, instanceId: null, type: 'manager.started' });
        const types = ['instance.exited', 'manager.started'] as const;
        assert.deepEqual(await manager.countEvents({ types, since: 2, latest: 1 }), [
          { service: 'even', count: 2, latest: [{ at: 4, message: 'at 4' }] },
          { service: 'odd', count: 2, latest: [{ at: 5, message: 'at 5' }] },
        ]);
        const [, odd] = await manager.countEvents({ types, since: 1, latest: 2 });
        assert.deepEqual([odd?.count, odd?.latest.map(({ at }) => at)], [3, [5, 3]]);
        assert.deepEqual(await manager.countEvents({ types, since: 6, latest: 1 }), []);
      });

      it('are pruned by age, and the number is told', async () => {
        for (const at of [1, 2, 3]) await manager.recordEvent({ ...EVENT, at });
        assert.equal(await manager.pruneEvents(3), 2);
        assert.deepEqual(
          (await manager.events({ limit: 9 })).map(({ at }) => at),
          [3],
        );
        assert.equal(await manager.pruneEvents(3), 0);
      });
    });

    describe('alerts', () => {
      const NONE = { outages: [], deliveries: [] };
      let delivery: Delivery;
      beforeEach(() => {
        delivery = { ...DELIVERY, notification: { ...DELIVERY.notification, at: now } };
      });

      it('of a load balancer that is gone are taken over once, as they were', async () => {
        await proxy.report({ appliedRevision: null, inFlight: new Map() });
        await proxy.alerts.save({ ...NO_CHANGES, outages: [OUTAGE], made: [delivery] });
        await pass(1);
        const other = store.openProxy('proxy-b', clock);
        try {
          assert.deepEqual(await other.alerts.takeOver(), NONE, 'its owner lives');
          await pass(HEARTBEAT_LIMIT_MS);
          assert.deepEqual(await other.alerts.takeOver(), { outages: [OUTAGE], deliveries: [delivery] });
          assert.deepEqual(await other.alerts.takeOver(), NONE);
          await other.report({ appliedRevision: null, inFlight: new Map() });
          assert.deepEqual(await proxy.alerts.takeOver(), NONE, 'they are the other one’s now');
          await other.withdraw();
          assert.equal((await proxy.alerts.takeOver()).outages.length, 1, 'one that withdrew is gone');
        } finally {
          await other.close();
        }
        assert.equal(await revision(), 0);
      });

      it('of a manager are taken over by the next manager, and by no load balancer', async () => {
        await manager.alerts.save({ ...NO_CHANGES, outages: [OUTAGE], made: [delivery] });
        await manager.close();
        await pass(DAY_MS / 2);
        assert.deepEqual(await proxy.alerts.takeOver(), NONE);
        manager = await store.openManager(clock);
        assert.deepEqual(await manager.alerts.takeOver(), { outages: [OUTAGE], deliveries: [delivery] });
        assert.deepEqual(await manager.alerts.takeOver(), NONE);
      });

      it('of a load balancer are taken over by no manager', async () => {
        await proxy.alerts.save({ ...NO_CHANGES, outages: [OUTAGE] });
        assert.deepEqual(await manager.alerts.takeOver(), NONE);
      });

      it('that were released are taken over although their owner lives', async () => {
        await proxy.report({ appliedRevision: null, inFlight: new Map() });
        await proxy.alerts.save({ ...NO_CHANGES, outages: [OUTAGE, { ...OUTAGE, id: 'kept' }], released: [OUTAGE.id] });
        const other = store.openProxy('proxy-b', clock);
        assert.deepEqual(await other.alerts.takeOver(), { outages: [OUTAGE], deliveries: [] });
        await other.close();
      });

      it('that changed, ended or were delivered are kept so', async () => {
        const changed = { ...OUTAGE, resolvedAt: 7_000, occurrences: 3 };
        const over = { ...OUTAGE, id: 'over' };
        const second = { ...delivery, channel: 'second' };
        await proxy.alerts.save({ ...NO_CHANGES, outages: [OUTAGE, over], made: [delivery, second] });
        const outages = [changed, { ...over, resolvedAt: 6_000, told: false, open: false }];
        await proxy.alerts.save({ ...NO_CHANGES, outages, settled: [delivery] });
        const other = store.openProxy('proxy-b', clock);
        assert.deepEqual(await other.alerts.takeOver(), { outages: [changed], deliveries: [second] });
        await other.close();
      });

      it('are no news after a day', async () => {
        await proxy.alerts.save({ ...NO_CHANGES, made: [delivery] });
        await pass(DAY_MS + 1);
        const other = store.openProxy('proxy-b', clock);
        assert.deepEqual(await other.alerts.takeOver(), NONE);
        await other.close();
      });
    });

    describe('the history of alerts', () => {
      const RESOLVED = { ...OUTAGE, id: 'over', resolvedAt: 6_000, told: false, open: false };
      const ids = async (query: Partial<Parameters<AlertBook['alerts']>[0]> = {}) =>
        (await manager.alertBook.alerts({ limit: 10, ...query })).map(({ id }) => id);

      it('has the alerts of all processes, the newest first, and can be asked by state and service', async () => {
        const { alert } = OUTAGE;
        const failed: Alert = { key: 'deployment:api', severity: 'critical', title: 'failed', at: 9_000 };
        await manager.alerts.save({ ...NO_CHANGES, outages: [{ ...OUTAGE, id: 'own', alert: failed }] });
        await proxy.alerts.save({
          ...NO_CHANGES,
          outages: [
            { ...RESOLVED, alert: { ...alert, at: 4_000 } },
            { ...OUTAGE, announced: [] },
          ],
        });
        assert.deepEqual(await ids(), ['own', 'outage-1', 'over']);
        assert.deepEqual(await ids({ state: 'active' }), ['own', 'outage-1']);
        assert.deepEqual(await ids({ state: 'resolved' }), ['over']);
        assert.deepEqual(await ids({ service: 'web' }), ['outage-1', 'over']);
        assert.deepEqual(await ids({ limit: 1 }), ['own']);
        const [, open, over] = await manager.alertBook.alerts({ limit: 10 });
        assert.deepEqual(open, { id: 'outage-1', alert, resolvedAt: null, announced: false, acknowledgement: null });
        assert.deepEqual([over?.resolvedAt, over?.announced], [6_000, true]);
      });

      it('is bounded: of what is over the newest stay, and everything that is not', async () => {
        const old = Array.from({ length: 1_003 }, (_, at) => ({
          ...RESOLVED,
          id: `over-${at}`,
          alert: { ...OUTAGE.alert, at },
        }));
        await proxy.alerts.save({
          ...NO_CHANGES,
          outages: [{ ...OUTAGE, alert: { ...OUTAGE.alert, at: -1 } }, ...old],
        });
        const kept = await ids({ limit: 2_000 });
        assert.deepEqual([kept.length, kept[0], kept.at(-2), kept.at(-1)], [1_001, 'over-1002', 'over-3', 'outage-1']);
      });

      it('takes acknowledgements of active alerts, by id or key, which every process sees', async () => {
        await proxy.alerts.save({ ...NO_CHANGES, outages: [OUTAGE, RESOLVED] });
        const acknowledgement = { at: 7_000, by: 'ann', comment: 'on it' };
        const { id } = await manager.alertBook.acknowledge(OUTAGE.alert.key, acknowledgement);
        assert.equal(id, 'outage-1');
        const again = await manager.alertBook.acknowledge('outage-1', { ...acknowledgement, by: 'bob' });
        assert.deepEqual(again.acknowledgement, { ...acknowledgement, by: 'bob' });
        assert.deepEqual([...(await proxy.alerts.controls()).acknowledged], ['outage-1']);
        const refused = manager.alertBook.acknowledge('over', acknowledgement);
        await assert.rejects(refused, (error) => hasCode(error, 'ALERT_NOT_FOUND'));
        await proxy.alerts.save({ ...NO_CHANGES, outages: [{ ...RESOLVED, id: 'outage-1' }] });
        assert.equal((await proxy.alerts.controls()).acknowledged.size, 0, 'it is over');
        assert.equal((await manager.alertBook.alerts({ limit: 9 }))[0]?.acknowledgement?.by, 'bob');
      });

      it('keeps silences until they end or are removed, and every process sees them', async () => {
        const draft = { match: { service: 'web' }, createdAt: now, by: 'ann', comment: 'moving' };
        const short = await manager.alertBook.addSilence({ ...draft, until: now + 1_000 });
        const long = await manager.alertBook.addSilence({ ...draft, until: now + 9_000 });
        assert.deepEqual((await proxy.alerts.controls()).silences, [short, long]);
        assert.deepEqual({ ...draft, until: now + 1_000, id: short.id }, short);
        await pass(1_000);
        assert.deepEqual(await manager.alertBook.silences(), [long]);
        assert.deepEqual(await manager.alertBook.removeSilence(long.id), long);
        assert.deepEqual((await proxy.alerts.controls()).silences, []);
        const refused = manager.alertBook.removeSilence(long.id);
        await assert.rejects(refused, (error) => hasCode(error, 'SILENCE_NOT_FOUND'));
      });

      it('keeps the channels that came through the API, by name, and every process sees them', async () => {
        const channel = (name: string, changes: object = {}) => {
          const spec = { url: 'https://example.org/hook', timeout: '5s', ...changes };
          return { name, spec, webhook: WebhookChannelSchema.parse(spec), at: 5, by: 'ann' };
        };
        await manager.alertBook.putChannel(channel('b'));
        await manager.alertBook.putChannel(channel('a'));
        await manager.alertBook.putChannel(channel('b', { format: 'slack' }));
        const kept = [channel('a'), channel('b', { format: 'slack' })];
        assert.deepEqual([await manager.alertBook.channels(), await proxy.alerts.channels()], [kept, kept]);
        assert.deepEqual(await manager.alertBook.removeChannel('a'), kept[0]);
        const refused = manager.alertBook.removeChannel('a');
        await assert.rejects(refused, (error) => hasCode(error, 'CHANNEL_NOT_FOUND'));
        assert.deepEqual(await manager.alerts.channels(), [kept[1]]);
      });
    });

    describe('close', () => {
      it('finishes what was begun, and refuses what comes after', async () => {
        const begun = reserveOne();
        await manager.close();
        assert.deepEqual((await proxy.snapshot()).instances, [await begun]);
        await assert.rejects(manager.snapshot(), (error) => hasCode(error, 'REGISTRY_UNAVAILABLE'));
        await proxy.close();
        await assert.rejects(proxy.report({ appliedRevision: 1, inFlight: new Map() }), (error) =>
          hasCode(error, 'REGISTRY_UNAVAILABLE'),
        );
      });

      it('ends the watches', async () => {
        const recorder = new RegistryRecorder();
        proxy.watch(recorder, new AbortController().signal);
        await recorder.picture();
        await proxy.close();
        proxy = store.openProxy('proxy-a', clock);
        const other = new RegistryRecorder();
        const stop = new AbortController();
        proxy.watch(other, stop.signal);
        await other.picture();
        await reserveOne();
        await other.picture(({ revision: at }) => at > 0);
        stop.abort();
        assert.equal(recorder.told.length, 1);
      });
    });
  });
}
