import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { StartedProcess } from '../support/e2e-process.ts';
import { ask } from '../support/e2e-http.ts';
import { eventually } from '../support/e2e-wait.ts';
import { FrontLoad } from '../support/front-load.ts';
import { HaproxyFolder, missing, NginxFolder } from '../support/front-programs.ts';
import { Network } from '../support/netns/network.ts';
import { inSandbox } from '../support/netns/sandbox.ts';

const CLIENTS = 4;
/** What a figure may be on a machine that does much else, in milliseconds; the diagnostics tell what it was. */
const SOON_MS = 5_000;

await inSandbox(import.meta.filename, () => {
  const skip = missing('nginx') || missing('haproxy');
  describe('an nginx and an HAProxy that heimdall keeps true, in front of apps on other hosts', { skip }, () => {
    let network: Network<'front' | 'a' | 'b'>;
    let nginx: NginxFolder;
    let haproxy: HaproxyFolder;
    let syncs: readonly StartedProcess[];
    let loads: readonly FrontLoad[];

    before(async () => {
      network = new Network('front', 'a', 'b');
      const { front, a, b } = network.hosts;
      const config = join(front.dir, 'config.json');
      const web = {
        name: 'web',
        servers: [a, b].map(({ address }) => `${address}:8080`),
        healthCheck: { interval: '200ms', timeout: '300ms' },
      };
      writeFileSync(config, JSON.stringify({ services: [web] }));
      nginx = await NginxFolder.create(front.dir, 8080, front.address);
      haproxy = await HaproxyFolder.create(front.dir, 8081, 2, front.address);
      writeFileSync(nginx.upstreams, 'upstream web { server 127.0.0.1:1 down; }');
      front.run(nginx.command);
      front.run(haproxy.command);
      await Promise.all([a, b].map((host) => host.app(8080).printed('listens on')));
      syncs = [
        front.command(['sync', 'nginx', ...nginx.syncOptions, '--json', '--config', config]),
        front.command([
          'sync',
          'haproxy',
          '--socket',
          haproxy.socket,
          '--backend',
          'web=be_web',
          '--json',
          '--config',
          config,
        ]),
      ];
      for (const { url } of [nginx, haproxy])
        await eventually(`an answer from ${url}`, async () => (await ask(url)).status === 200);
      loads = startLoads();
    });
    after(async () => {
      network[Symbol.dispose]();
      await Promise.all((loads ?? []).map((load) => load.stop()));
    });

    it('send nobody to a host that has vanished', async (t) => {
      const { b } = network.hosts;
      await Promise.all(loads.map((load) => load.reaches('b')));
      const vanishedAt = Date.now();
      b.vanish();
      const outAfter = await Promise.all(
        syncs.map(async (sync) => {
          await sync.printed(/"web":\{"up":1,"down":1/);
          return Date.now() - vanishedAt;
        }),
      );
      t.diagnostic(`out of nginx ${outAfter[0]} ms after the host vanished, out of HAProxy after ${outAfter[1]} ms`);
      for (const took of outAfter) assert.ok(took < SOON_MS);
      const later = startLoads();
      await Promise.all(later.map((load) => load.more(50)));
      await Promise.all([...loads, ...later].map((load) => load.stop()));
      assert.deepEqual(
        later.map(({ failures }) => failures),
        [[], []],
      );
      // What had been sent there before may have been acted upon: each client may have had one such request.
      for (const { failures } of loads)
        assert.ok(failures.length <= CLIENTS && failures.every((failure) => failure === 'status 504'), failures.join());
    });

    it('have it again when it is back', async () => {
      const { b } = network.hosts;
      loads = startLoads();
      b.comeBack();
      await b.app(8080).printed('listens on');
      await Promise.all(loads.map((load) => load.reaches('b')));
      await Promise.all(loads.map((load) => load.stop()));
      assert.deepEqual(
        loads.map(({ failures }) => failures),
        [[], []],
      );
    });

    function startLoads(): readonly FrontLoad[] {
      return [nginx, haproxy].map(({ url }) => new FrontLoad(url, CLIENTS));
    }
  });
});
