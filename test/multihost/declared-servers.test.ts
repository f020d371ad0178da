import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { StartedProcess } from '../support/e2e-process.ts';
import { ACCESS_LOG } from '../support/netns/attempts.ts';
import { Network } from '../support/netns/network.ts';
import { inSandbox } from '../support/netns/sandbox.ts';
import { Traffic } from '../support/netns/traffic.ts';

const CLIENTS = 4;

await inSandbox(import.meta.filename, () => {
  describe('a load balancer in front of apps on other hosts', () => {
    let network: Network<'front' | 'a' | 'b'>;
    let loadBalancer: StartedProcess;
    let traffic: Traffic;

    before(async () => {
      network = new Network('front', 'a', 'b');
      const { front, a, b } = network.hosts;
      const [onA, onB] = [a.app(8080), b.app(8080)];
      loadBalancer = front.heimdall('load-balancer', {
        proxy: { threads: 1, timeouts: { connect: '500ms', responseHead: '5s' }, accessLog: ACCESS_LOG },
        services: [
          {
            name: 'web',
            servers: [a, b].map(({ address }) => `${address}:8080`),
            healthCheck: { interval: '250ms', timeout: '1s', fall: 2 },
          },
        ],
      });
      await Promise.all([onA.printed('listens on'), onB.printed('listens on'), loadBalancer.isReady()]);
      traffic = new Traffic([front], CLIENTS);
    });
    after(() => network[Symbol.dispose]());

    it('loses no more than what a host had in hand, and may not be done twice, when it vanishes', async (t) => {
      const { b } = network.hosts;
      const idOfB = `web@${b.address}:8080`;
      let vanishedAt = 0;
      let outAt = 0;
      const { failures, attempts } = await traffic.during(async (loads) => {
        await Promise.all(loads.map((load) => load.reaches('b')));
        vanishedAt = Date.now();
        b.vanish();
        await loadBalancer.printed(`"instance":"${idOfB}","from":"healthy"`);
        outAt = Date.now();
      });

      const sent = attempts.flat().filter(({ upstream, at }) => upstream === idOfB && at > vanishedAt);
      const unconnected = sent.filter(({ outcome }) => outcome?.startsWith('connect-failed'));
      t.diagnostic(`out of rotation ${outAt - vanishedAt} ms after the host vanished`);
      t.diagnostic(`${unconnected.length} requests got no connection meanwhile, and were answered by the other host`);
      const rescued = sent.filter(({ outcome }) => outcome?.startsWith('reset: given up'));
      t.diagnostic(
        `${rescued.length} had been sent, were given up when it was found dead, and answered by the other host`,
      );
      t.diagnostic(`${failures.length} had been sent, and failed with 504`);
      for (const { at } of sent) assert.ok(at <= outAt, 'a request goes to a host that is out of rotation');
      for (const { status } of unconnected) assert.equal(status, 200, 'nothing was sent: it can be repeated');
      for (const { status } of rescued) assert.equal(status, 200);
      // What was sent may have been acted upon, and nobody says that it was not.
      for (const failure of failures) assert.match(failure, /^POST .*: 504 /);
      assert.ok(failures.length <= CLIENTS, 'each client waits for one of them');
    });

    it('gives a host that is back its share again', async (t) => {
      const { b } = network.hosts;
      const { failures } = await traffic.during(async (loads) => {
        b.comeBack();
        await b.app(8080).printed('listens on');
        const listensAt = Date.now();
        await Promise.all(loads.map((load) => load.reaches('b', 1)));
        t.diagnostic(`traffic ${Date.now() - listensAt} ms after its app listens`);
      });
      assert.deepEqual(failures, []);
    });
  });
});
