import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { WebhookReceiver } from '../support/alert-receivers.ts';
import { ask } from '../support/e2e-http.ts';
import { mainOf, type StartedProcess } from '../support/e2e-process.ts';
import { eventually } from '../support/e2e-wait.ts';
import { etcdMissing } from '../support/etcd.ts';
import { ACCESS_LOG } from '../support/netns/attempts.ts';
import { EtcdOnHosts } from '../support/netns/etcd.ts';
import type { Host } from '../support/netns/host.ts';
import { Network } from '../support/netns/network.ts';
import { inSandbox } from '../support/netns/sandbox.ts';
import { SlowLine } from '../support/netns/slow-line.ts';
import { sentAfter, Traffic } from '../support/netns/traffic.ts';

const TOKEN = 'a-token-for-tests-only';
const CLIENTS_EACH = 2;
const WEBHOOKS = 9_099;
/** From lb2 to etcd and back, in milliseconds. */
const FAR_MS = 80;

const ListSchema = z.array(z.object({ id: z.string(), node: z.string().nullable(), status: z.string() }));
const NodesSchema = z.array(z.object({ name: z.string(), alive: z.boolean() }));
const AddedSchema = z.object({ id: z.string(), node: z.string() });

await inSandbox(import.meta.filename, () => {
  describe('two load balancers, one of them far away, and two managers that meet in three members of etcd', {
    skip: etcdMissing(),
  }, () => {
    const network = new Network('e1', 'e2', 'e3', 'lb1', 'lb2', 'm1', 'm2');
    const { e1, e2, e3, lb1, lb2, m1, m2 } = network.hosts;
    const etcd = new EtcdOnHosts([e1, e2, e3]);
    const alerts = new WebhookReceiver(true);
    const lines: SlowLine[] = [];
    const loadBalancers = new Map<Host, StartedProcess>();
    const traffic = new Traffic([lb1, lb2], CLIENTS_EACH);

    before(async () => {
      etcd.start(e1, e2, e3);
      await alerts.listen(WEBHOOKS, network.address);
      await etcd.leader();
      const managers = [m1, m2].map((host) => host.heimdall('server-manager', configOf(host)));
      for (const url of etcd.endpoints) lines.push(await SlowLine.lay(new URL(url), network.address, FAR_MS / 2));
      const far = lines.map(({ url }) => url);
      const ready = managers.map((each) => each.isReady());
      await Promise.all([balanceOn(lb1, etcd.endpoints), balanceOn(lb2, far), ...ready]);
      await eventually('instances on both nodes', async () => (await running()).length === 2);
    });
    afterEach(() => network.heal());
    after(async () => {
      network[Symbol.dispose]();
      for (const line of lines) line[Symbol.dispose]();
      await alerts[Symbol.asyncDispose]();
    });

    function configOf(host: Host, endpoints: readonly string[] = etcd.endpoints): object {
      const service = {
        name: 'web',
        command: [process.execPath, mainOf('test-server')],
        readiness: { interval: '50ms' },
        healthCheck: { interval: '250ms', timeout: '1s', fall: 2 },
        slowStart: null,
      };
      return {
        node: { name: host.name, address: host.address },
        manager: { host: host.address, token: TOKEN },
        proxy: { threads: 1, timeouts: { connect: '500ms', responseHead: '3s' }, accessLog: ACCESS_LOG },
        registry: { driver: 'etcd', etcd: { endpoints } },
        services: [service],
        alerts: {
          webhooks: [{ url: `http://${network.address}:${WEBHOOKS}/`, format: 'json' }],
          groupWindow: '1s',
        },
      };
    }

    async function balanceOn(host: Host, endpoints: readonly string[]): Promise<void> {
      const loadBalancer = host.heimdall('load-balancer', configOf(host, endpoints));
      loadBalancers.set(host, loadBalancer);
      await loadBalancer.isReady();
    }

    /** What the manager of m1 answers. */
    async function manager<Schema extends z.ZodType>(schema: Schema, method: string, target: string) {
      const headers = { Authorization: `Bearer ${TOKEN}` };
      const { status, body } = await ask(m1.url(7000) + target, { method, headers });
      assert.ok(status < 300, body);
      return schema.parse(JSON.parse(body));
    }

    async function running() {
      return (await manager(ListSchema, 'GET', '/servers/list')).filter(({ status }) => status === 'running');
    }

    /** Resolves when a load balancer has written a text from now on. */
    async function says(host: Host, text: string): Promise<void> {
      const loadBalancer = loadBalancers.get(host);
      const from = loadBalancer?.output.length;
      await eventually(`${host.name}: ${text}`, () => loadBalancer?.output.slice(from).includes(text));
    }

    /** Under load: an instance is started on m2 and stopped again, both through the manager of m1. No request may be lost. */
    async function comeAndGo(t: TestContext, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
      const times = { asked: 0, added: 0, removing: 0, removed: 0 };
      let id = '';
      const { failures, attempts } = await traffic.during(async (loads) => {
        await meanwhile();
        times.asked = Date.now();
        ({ id } = await manager(AddedSchema, 'POST', '/servers/add?node=m2'));
        times.added = Date.now();
        await Promise.all(loads.map((load) => load.reaches(id)));
        await eventually('m1 has heard of it', async () => (await running()).some((each) => each.id === id));
        times.removing = Date.now();
        await manager(z.unknown(), 'DELETE', `/servers/remove?id=${id}`);
        times.removed = Date.now();
      });
      const sent = attempts.map((each) => sentAfter(0, id, each));
      const first = sent.map(([at = Number.NaN]) => at - times.added);
      const last = sent.map((each) => (each.at(-1) ?? Number.NaN) - times.removing);
      t.diagnostic(`added in ${times.added - times.asked} ms, first requests ${first.join(' and ')} ms later`);
      t.diagnostic(`removed in ${times.removed - times.removing} ms, last requests after ${last.join(' and ')} ms`);
      assert.deepEqual(failures, []);
    }

    it('lose no request when instances come and go', async (t) => {
      await comeAndGo(t);
    });

    it('lose none when a load balancer is cut off from etcd: it goes on with what it knows', async (t) => {
      const told = alerts.taken.length;
      const { failures } = await traffic.during(async () => {
        const cutAt = Date.now();
        const noticed = says(lb1, 'the registry cannot be read; the last picture stays in force');
        network.cut([lb1], [e1, e2, e3]);
        await noticed;
        t.diagnostic(`noticed after ${Date.now() - cutAt} ms`);
        const { id } = await manager(AddedSchema, 'POST', '/servers/add?node=m2');
        const askedAt = Date.now();
        await manager(z.unknown(), 'DELETE', `/servers/remove?id=${id}`);
        t.diagnostic(`removed in ${Date.now() - askedAt} ms: who gives no sign of life is not waited for`);
        const healedAt = Date.now();
        const back = says(lb1, 'the registry is back');
        network.heal();
        await back;
        t.diagnostic(`back ${Date.now() - healedAt} ms after the cut was healed`);
      });
      assert.deepEqual(failures, []);
      await comeAndGo(t);
      const subjects = alerts.taken.slice(told).map(({ subject }) => subject);
      for (const what of ['The registry cannot be read', 'load balancer ']) {
        assert.equal(subjects.filter((subject) => subject.startsWith(what)).length, 1, subjects.join('\n'));
      }
    });

    it('lose none when a member of etcd dies, nor when the one that leads does', async (t) => {
      const leader = await etcd.leader();
      const follower = leader === e1 ? e2 : e1;
      await comeAndGo(t, () => etcd.kill(follower));
      etcd.start(follower);
      await comeAndGo(t, () => etcd.kill(leader));
      etcd.start(leader);
    });

    it('lose none when the leading member is cut off from the others, though all reach it', async (t) => {
      const leader = await etcd.leader();
      await comeAndGo(t, async () =>
        network.cut(
          [leader],
          [e1, e2, e3].filter((host) => host !== leader),
        ),
      );
      network.heal();
      await etcd.leader();
    });

    it('lose none when all of etcd is down, and go on when it is back', async (t) => {
      const before = await running();
      const { failures } = await traffic.during(async () => {
        const text = 'the registry cannot be read; the last picture stays in force';
        const noticed = Promise.all([says(lb1, text), says(lb2, text)]);
        const back = Promise.all([says(lb1, 'the registry is back'), says(lb2, 'the registry is back')]);
        await etcd.kill(e1, e2, e3);
        await noticed;
        const startedAt = Date.now();
        etcd.start(e1, e2, e3);
        await back;
        t.diagnostic(`both are back ${Date.now() - startedAt} ms after etcd was started again`);
        await eventually('the same runs', async () => isDeepStrictEqual(await running(), before));
      });
      assert.deepEqual(failures, []);
      await comeAndGo(t);
    });

    it('lose what was in the hands of a host that vanishes with its manager, and no more', async (t) => {
      const { failures } = await traffic.during(async () => {
        const vanishedAt = Date.now();
        m2.vanish();
        await eventually('the node is away', async () =>
          (await manager(NodesSchema, 'GET', '/nodes')).some(({ name, alive }) => name === 'm2' && !alive),
        );
        t.diagnostic(`away after ${Date.now() - vanishedAt} ms`);
        await eventually('its instances are gone', async () => (await running()).every(({ node }) => node === 'm1'));
      });
      for (const failure of failures) assert.match(failure, /: 504 /);
      assert.ok(failures.length <= 2 * CLIENTS_EACH);
      m2.comeBack();
      await m2.heimdall('server-manager', configOf(m2)).isReady();
      await eventually('instances on both nodes', async () => (await running()).length === 2);
    });
  });
});
