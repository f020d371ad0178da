import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { ask } from '../support/e2e-http.ts';
import type { StartedProcess } from '../support/e2e-process.ts';
import { eventually } from '../support/e2e-wait.ts';
import { ACCESS_LOG } from '../support/netns/attempts.ts';
import type { Host } from '../support/netns/host.ts';
import { Network } from '../support/netns/network.ts';
import { inSandbox } from '../support/netns/sandbox.ts';
import { sentAfter, Traffic } from '../support/netns/traffic.ts';

const CLIENTS = 4;
const TOKEN = 'a-token-for-tests-only';
/** What a figure may be on a machine that does much else, in milliseconds; the diagnostics tell what it was. */
const SOON_MS = 5_000;
/** How long announcements last. */
const TTL_MS = 8_000;

const ListSchema = z.array(z.object({ id: z.string(), host: z.string(), status: z.string() }));
type Listed = z.infer<typeof ListSchema>[number];

await inSandbox(import.meta.filename, () => {
  describe('agents on two hosts, manager and load balancer on a third', () => {
    let network: Network<'front' | 'a' | 'b'>;
    let manager: StartedProcess;
    let loadBalancer: StartedProcess;
    let traffic: Traffic;
    let agentOnB: StartedProcess;
    let appOnB: StartedProcess;

    before(async () => {
      network = new Network('front', 'a', 'b');
      const { front, a, b } = network.hosts;
      const config = {
        manager: { host: front.address, token: TOKEN },
        proxy: {
          threads: 1,
          timeouts: { connect: '500ms', responseHead: '3s' },
          accessLog: ACCESS_LOG,
        },
        services: [{ name: 'web', agents: true }],
      };
      manager = front.heimdall('server-manager', config);
      loadBalancer = front.heimdall('load-balancer', config);
      agentOn(a);
      agentOnB = agentOn(b);
      a.app(8080);
      await Promise.all([manager.isReady(), loadBalancer.isReady()]);
      traffic = new Traffic([front], CLIENTS);
      await eventually('an app is announced', async () => (await listed()).length === 1);
    });
    after(() => network[Symbol.dispose]());

    function agentOn(host: Host): StartedProcess {
      const options = ['--app', 'web=8080', '--node', host.name, '--manager', network.hosts.front.url(7000)];
      return host.command(['agent', ...options], { HEIMDALL_TOKEN: TOKEN });
    }

    async function listed(): Promise<Listed[]> {
      const { body } = await ask(`${network.hosts.front.url(7000)}/servers/list`, {
        headers: { Authorization: `Bearer ${TOKEN}` },
      });
      return ListSchema.parse(JSON.parse(body));
    }

    async function idOn(host: Host): Promise<string> {
      const instance = (await listed()).find(({ host: address }) => address === host.address);
      return instance?.id ?? assert.fail(`nothing is announced on ${host.name}`);
    }

    it('send traffic to an app as soon as it is healthy', async (t) => {
      const { b } = network.hosts;
      let healthyAt = 0;
      const { failures, attempts } = await traffic.during(async (loads) => {
        appOnB = b.app(8080);
        await appOnB.printed('listens on');
        healthyAt = Date.now();
        await Promise.all(loads.map((load) => load.reaches('b')));
      });
      const [took = Number.POSITIVE_INFINITY] = sentAfter(0, await idOn(b), attempts.flat());
      t.diagnostic(`first request ${took - healthyAt} ms after the app listens`);
      assert.ok(took - healthyAt < SOON_MS);
      assert.deepEqual(failures, []);
    });

    it('take a dead app out of rotation at once', async (t) => {
      const id = await idOn(network.hosts.b);
      let killedAt = 0;
      let toldAt = 0;
      const { failures, attempts } = await traffic.during(async (loads) => {
        await Promise.all(loads.map((load) => load.reaches('b')));
        killedAt = Date.now();
        appOnB.kill('SIGKILL');
        const isFailed = (each: Listed) => each.id === id && each.status === 'error';
        await eventually('its agent has told so', async () => (await listed()).some(isFailed));
        toldAt = Date.now();
      });
      const last = Math.max(0, ...sentAfter(killedAt, id, attempts.flat()));
      t.diagnostic(`last request ${last} ms after the app was killed, told by its agent after ${toldAt - killedAt} ms`);
      assert.ok(last < SOON_MS);
      // What can be repeated is. A POST that was sent may have been acted upon.
      for (const failure of failures) assert.match(failure, /^POST \/echo: 502 /);
      appOnB = network.hosts.b.app(8080);
    });

    it('lose no request when they are stopped', async (t) => {
      const { b } = network.hosts;
      const { failures } = await traffic.during(async (loads) => {
        await Promise.all(loads.map((load) => load.reaches('b')));
        const stoppedAt = Date.now();
        const exit = await agentOnB.stop();
        t.diagnostic(`drained within ${Date.now() - stoppedAt} ms`);
        assert.equal(exit?.code, 0, agentOnB.output);
        appOnB.kill('SIGKILL'); // whoever still asks it loses
      });
      assert.deepEqual(failures, []);
      appOnB = b.app(8080);
      agentOnB = agentOn(b);
    });

    it('are missed when their host vanishes, and their instances expire', async (t) => {
      const { a, b } = network.hosts;
      let id = '';
      let vanishedAt = 0;
      const { failures, attempts } = await traffic.during(async (loads) => {
        await Promise.all(loads.map((load) => load.reaches('b')));
        id = await idOn(b);
        vanishedAt = Date.now();
        b.vanish();
        await loadBalancer.printed(`"instance":"${id}","from":"healthy","to":"unhealthy"`);
      });
      await manager.printed(`${id} is out: its agent b gave no sign of life`);
      const expired = Date.now() - vanishedAt;
      const last = Math.max(0, ...sentAfter(vanishedAt, id, attempts.flat()));
      t.diagnostic(`last request ${last} ms after the host vanished, expired after ${expired} ms`);
      assert.ok(last < SOON_MS);
      assert.ok(expired < TTL_MS + SOON_MS);
      assert.deepEqual(
        (await listed()).map(({ host }) => host),
        [a.address],
      );
      for (const failure of failures) assert.match(failure, /: 504 /);
      assert.ok(failures.length <= CLIENTS, 'no more than one of each client had been sent there');
    });

    it('announce their apps again when the host is back', async () => {
      const { b } = network.hosts;
      const { failures } = await traffic.during(async (loads) => {
        b.comeBack();
        agentOn(b);
        b.app(8080);
        await Promise.all(loads.map((load) => load.reaches('b')));
      });
      assert.deepEqual(failures, []);
    });
  });
});
