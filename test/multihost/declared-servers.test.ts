import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Load, MIXED } from '../support/e2e-load.ts';
import type { StartedProcess } from '../support/e2e-process.ts';
import { attemptsIn } from '../support/netns/attempts.ts';
import { Network } from '../support/netns/network.ts';
import { inSandbox } from '../support/netns/sandbox.ts';

const CLIENTS = 4;
const CONNECT_MS = 500;
const CHECK = { interval: '250ms', timeout: '1s', fall: 2 };

await inSandbox(import.meta.filename, () => {
  describe('a load balancer in front of apps on other hosts', () => {
    let network: Network<'front' | 'a' | 'b'>;
    let loadBalancer: StartedProcess;

    before(async () => {
      network = new Network('front', 'a', 'b');
      const { front, a, b } = network.hosts;
      const [onA, onB] = [a.app(8080), b.app(8080)];
      loadBalancer = front.heimdall('load-balancer', {
        proxy: {
          host: front.address,
          port: 8080,
          threads: 1,
          timeouts: { connect: `${CONNECT_MS}ms`, responseHead: '3s' },
        },
        services: [{ name: 'web', servers: [a, b].map(({ address }) => `${address}:8080`), healthCheck: CHECK }],
      });
      await Promise.all([onA.printed('listens on'), onB.printed('listens on'), loadBalancer.isReady()]);
    });
    after(() => network[Symbol.dispose]());

    it('loses no more than what a host had in hand when it vanishes', async (t) => {
      const { front, b } = network.hosts;
      const idOfB = `web@${b.address}:8080`;
      const load = new Load(front.url(8080), CLIENTS, MIXED);
      await Promise.all([load.reaches('a'), load.reaches('b')]);

      const vanishedAt = Date.now();
      b.vanish();
      await loadBalancer.printed(`"instance":"${idOfB}","from":"healthy"`);
      const outAt = Date.now();
      await load.more(CLIENTS);
      await load.stop();

      const tried = attemptsIn(loadBalancer.output).filter(({ upstream, at }) => upstream === idOfB && at > vanishedAt);
      const unconnected = tried.filter(({ outcome }) => outcome?.startsWith('connect-failed'));
      t.diagnostic(`out of rotation ${outAt - vanishedAt} ms after the host vanished`);
      t.diagnostic(`${tried.length} requests went there meanwhile: ${unconnected.length} got no connection and were`);
      t.diagnostic(`answered by the other host, ${load.failures.length} had been sent and failed with 504`);
      assert.ok(
        tried.every(({ at }) => at <= outAt),
        'none goes there once it is out',
      );
      assert.ok(
        unconnected.every(({ status }) => status === 200),
        'what got no connection is answered by the other host',
      );
      // What was sent may have been acted upon, and nobody says that it was not.
      assert.ok(
        load.failures.every((failure) => failure.includes(': 504 ')),
        load.failures.join('\n'),
      );
      assert.ok(load.failures.length <= CLIENTS, 'each client waits for one of them');
    });

    it('gives a host that is back its share again', async (t) => {
      const { front, b } = network.hosts;
      const load = new Load(front.url(8080), CLIENTS, MIXED);
      b.comeBack();
      const app = b.app(8080);
      await app.printed('listens on');
      const listensAt = Date.now();
      await load.reaches('b', 1);
      t.diagnostic(`traffic ${Date.now() - listensAt} ms after its app listens`);
      await load.more(10 * CLIENTS);
      await load.stop();
      assert.deepEqual(load.failures, []);
    });
  });
});
