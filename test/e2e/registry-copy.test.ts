import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { Store } from '../../internal/registry/etcd/store.ts';
import { ask } from '../support/e2e-http.ts';
import { Load } from '../support/e2e-load.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { EtcdCluster, etcdMissing } from '../support/etcd.ts';

const EventsSchema = z.array(z.object({ type: z.string(), message: z.string() }));

describe('heimdall registry copy', { skip: etcdMissing() }, () => {
  let etcd: EtcdCluster;
  before(async () => {
    etcd = await EtcdCluster.start();
  });
  after(() => etcd.stop());

  it('looks ahead, and with the next reload moves a site to etcd under load: no request fails, no instance is restarted', async () => {
    const settings = etcd.settings();
    const { endpoints, prefix } = settings;
    const services = [sampleService({ instances: 2 })];
    await using system = await System.create(() => ({ proxy: { threads: 1 }, services }));
    const up = await system.up(2);
    const before = await system.list();
    const load = new Load(system.proxy, 4);
    const run = async (...args: readonly string[]) => {
      const command = system.heimdall(...args);
      const { code } = await command.exited;
      return { code, output: command.output };
    };

    const next = join(system.dir, 'next.json');
    const present = JSON.parse(await system.readConfig());
    await writeFile(next, JSON.stringify({ ...present, registry: { driver: 'etcd', etcd: { endpoints, prefix } } }));
    const refused = await run('registry', 'copy', '--config', next);
    assert.equal(refused.code, 1);
    assert.match(refused.output, /a manager \(pid \d+\) uses the registry that is to be copied\. .*heimdall reload/);
    const ahead = await run('registry', 'copy', '--config', next, '--dry-run');
    assert.equal(ahead.code, 0, ahead.output);
    assert.match(ahead.output, /copied {4}1 service, 2 instances, .*\n.*Nothing was changed\. A manager/s);

    await rename(next, system.configPath);
    const early = await run('reload', '--only', 'proxy');
    assert.equal(early.code, 1);
    assert.match(early.output, /the registry holds nothing yet; a manager that uses it goes first/);
    const reloaded = await run('reload');
    assert.equal(reloaded.code, 0, `${reloaded.output}\n${up.output}`);
    await system.inRotation(2);
    assert.deepEqual(await system.list(), before, 'the same processes');
    const events = EventsSchema.parse(JSON.parse((await ask(`${system.api}/events?limit=500`)).body));
    assert.equal(events.filter(({ type }) => type === 'instance.added').length, 2, 'of before');
    assert.equal(events.filter(({ type }) => type === 'registry.copied').length, 1);
    assert.equal((await system.add()).status, 201);
    await system.inRotation(3);
    await load.stop();
    assert.deepEqual(load.failures, []);
    const store = new Store(settings);
    await store.removeAll('state/present/'); // else the end of all waits for the load balancer that read the file
    await store.close();
    assert.ok(load.requests > 0);
  });
});
