import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { ask } from '../support/e2e-http.ts';
import { Load, MIXED } from '../support/e2e-load.ts';
import type { StartedProcess } from '../support/e2e-process.ts';
import { eventually } from '../support/e2e-wait.ts';
import { attemptsIn } from '../support/netns/attempts.ts';
import type { Host } from '../support/netns/host.ts';
import { Network } from '../support/netns/network.ts';
import { inSandbox } from '../support/netns/sandbox.ts';

const CLIENTS = 4;
const TOKEN = 'a-token-for-tests-only';
/** What a figure may be on a machine that does much else, in milliseconds; the diagnostics tell what it was. */
const SOON_MS = 5_000;
/** How long announcements last. */
const TTL_MS = 8_000;

const ListSchema = z.array(z.object({ id: z.string(), host: z.string(), status: z.string() }));

await inSandbox(import.meta.filename, () => {
  describe('agents on two hosts, manager and load balancer on a third', () => {
    let network: Network<'front' | 'a' | 'b'>;
    let manager: StartedProcess;
    let loadBalancer: StartedProcess;
    let agentOnB: StartedProcess;
    let appOnB: StartedProcess;

    before(async () => {
      network = new Network('front', 'a', 'b');
      const { front, a, b } = network.hosts;
      const config = {
        manager: { host: front.address, token: TOKEN },
        proxy: {
          host: front.address,
          threads: 1,
          timeouts: { connect: '500ms', responseHead: '3s' },
        },
        services: [{ name: 'web', agents: true }],
      };
      manager = front.heimdall('server-manager', config);
      loadBalancer = front.heimdall('load-balancer', config);
      agentOn(a);
      agentOnB = agentOn(b);
      a.app(8080);
      await Promise.all([manager.isReady(), loadBalancer.isReady()]);
      await eventually('an app is announced', async () => (await listed()).length === 1);
    });
    after(() => network[Symbol.dispose]());

    function agentOn(host: Host): StartedProcess {
      const options = ['--app', 'web=8080', '--node', host.name, '--manager', network.hosts.front.url(7000)];
      return host.command(['agent', ...options], { HEIMDALL_TOKEN: TOKEN });
    }

    async function listed(): Promise<z.infer<typeof ListSchema>> {
      const { body } = await ask(`${network.hosts.front.url(7000)}/servers/list`, {
        headers: { Authorization: `Bearer ${TOKEN}` },
      });
      return ListSchema.parse(JSON.parse(body));
    }

    async function idOn(host: Host): Promise<string> {
      const instance = (await listed()).find(({ host: address }) => address === host.address);
      return instance?.id ?? assert.fail(`nothing is announced on ${host.name}`);
    }

    /** Milliseconds from a moment to the last time that a request was sent to an instance. */
    function lastSentAfter(since: number, id: string): number {
      return Math.max(
        0,
        ...attemptsIn(loadBalancer.output).flatMap(({ upstream, at }) => (upstream === id ? [at - since] : [])),
      );
    }

    it('send traffic to an app as soon as it is healthy', async (t) => {
      const { front, b } = network.hosts;
      const load = new Load(front.url(8080), CLIENTS, MIXED);
      await load.reaches('a');
      appOnB = b.app(8080);
      await appOnB.printed('listens on');
      const healthyAt = Date.now();
      await load.reaches('b');
      await load.stop();
      const id = await idOn(b);
      const first = attemptsIn(loadBalancer.output).find(({ upstream }) => upstream === id);
      const took = (first?.at ?? Number.POSITIVE_INFINITY) - healthyAt;
      t.diagnostic(`first request ${Math.round(took)} ms after the app listens`);
      assert.ok(took < SOON_MS, `${took} ms`);
      assert.deepEqual(load.failures, []);
    });

    it('take a dead app out of rotation at once', async (t) => {
      const { front, b } = network.hosts;
      const id = await idOn(b);
      const load = new Load(front.url(8080), CLIENTS, MIXED);
      await load.reaches('b');
      const killedAt = Date.now();
      appOnB.kill('SIGKILL');
      await eventually('the list tells so', async () =>
        (await listed()).some((each) => each.id === id && each.status === 'error'),
      );
      const toldAt = Date.now();
      await load.more(10 * CLIENTS);
      await load.stop();
      const took = lastSentAfter(killedAt, id);
      t.diagnostic(
        `last request ${Math.round(took)} ms after the app was killed, told by its agent after ${toldAt - killedAt} ms`,
      );
      assert.ok(took < SOON_MS, `${took} ms`);
      // What can be repeated is. A POST that was sent may have been acted upon.
      assert.ok(
        load.failures.every((failure) => failure.startsWith('POST /echo: 502 ')),
        load.failures.join('\n'),
      );
      appOnB = b.app(8080);
    });

    it('lose no request when they are stopped', async (t) => {
      const { front, b } = network.hosts;
      const load = new Load(front.url(8080), CLIENTS, MIXED);
      await load.reaches('b');
      const stoppedAt = Date.now();
      const exit = await agentOnB.stop();
      t.diagnostic(`drained within ${Date.now() - stoppedAt} ms`);
      assert.equal(exit?.code, 0, agentOnB.output);
      const answered = load.from('b');
      appOnB.kill('SIGKILL'); // whoever still asks it loses
      await load.more(10 * CLIENTS);
      await load.stop();
      assert.equal(load.from('b'), answered);
      assert.deepEqual(load.failures, []);
      appOnB = b.app(8080);
      agentOnB = agentOn(b);
    });

    it('are missed when their host vanishes, and their instances expire', async (t) => {
      const { front, a, b } = network.hosts;
      const load = new Load(front.url(8080), CLIENTS, MIXED);
      await load.reaches('b');
      const id = await idOn(b);
      const vanishedAt = Date.now();
      b.vanish();
      await loadBalancer.printed(`"instance":"${id}","from":"healthy","to":"unhealthy"`);
      await load.more(CLIENTS);
      await load.stop();
      await manager.printed(`${id} is out: its agent b gave no sign of life`);
      const goneAt = Date.now();
      assert.deepEqual(
        (await listed()).map(({ host }) => host),
        [a.address],
      );
      const took = lastSentAfter(vanishedAt, id);
      t.diagnostic(
        `last request ${Math.round(took)} ms after the host vanished, expired after ${goneAt - vanishedAt} ms`,
      );
      assert.ok(took < SOON_MS, `${took} ms`);
      assert.ok(goneAt - vanishedAt < TTL_MS + SOON_MS, `${goneAt - vanishedAt} ms`);
      assert.ok(
        load.failures.every((failure) => failure.includes(': 504 ')),
        load.failures.join('\n'),
      );
      assert.ok(load.failures.length <= CLIENTS, 'no more than one of each client had been sent there');
    });

    it('announce their apps again when the host is back', async () => {
      const { front, b } = network.hosts;
      const load = new Load(front.url(8080), CLIENTS, MIXED);
      b.comeBack();
      agentOn(b);
      b.app(8080);
      await load.reaches('b');
      await load.stop();
      assert.deepEqual(load.failures, []);
    });
  });
});
