import assert from 'node:assert/strict';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Fleet } from '../../internal/proxy/fleet.ts';
import { RegistryLink } from '../../internal/proxy/registry-link.ts';
import type { RegistryWriter } from '../../internal/registry/registry.ts';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { DRAFT } from '../support/instance-draft.ts';
import { service } from '../support/proxy-fakes.ts';
import { eventually } from '../support/proxy-raw.ts';
import { fleetListener } from '../support/proxy-site.ts';

const LOG = createLogger({ name: 'test', level: 'silent' });

describe('the link to a SQLite registry', () => {
  const open = async () => {
    const dir = await mkdtemp(join(tmpdir(), 'heimdall-link-'));
    const path = join(dir, 'registry.db');
    const manager = await openManagerRegistry({ path });
    const alerts: string[] = [];
    const fleet: Fleet = new Fleet({
      cookieSecret: 'a secret that is long enough',
      now: () => performance.now(),
      log: LOG,
      listener: fleetListener({ drained: () => link.reportSoon() }),
    });
    fleet.configure([service()]);
    const link: RegistryLink = new RegistryLink({
      registry: openProxyRegistry({ path, proxyId: 'lb', pid: process.pid }),
      fleet,
      alerts: { raise: ({ key }) => alerts.push(`! ${key}`), resolve: (key) => alerts.push(`ok ${key}`) },
      log: LOG,
      now: Date.now,
      onLeading() {},
    });
    const close = async () => {
      await link.stop();
      await manager.close();
      await rm(dir, { recursive: true });
    };
    return { path, manager, fleet, link, alerts, close };
  };
  const row = async (manager: RegistryWriter) => (await manager.proxies())[0];

  it('acknowledges a drain with its in-flight requests, and withdraws at the end', async () => {
    const { manager, fleet, link, close } = await open();
    try {
      const [added] = await manager.reserve([DRAFT], [9_000], 1);
      const id = added!.id;
      await manager.update(id, { lifecycle: 'ready', startedAt: 1 });
      await link.start();
      await eventually('the instance is known', () => [...fleet.pools()][0]?.get(id) !== undefined);
      const upstream = [...fleet.pools()][0]!.get(id)!;
      fleet.healthChanged({ id, incarnation: `${id}#1`, from: 'unknown', to: 'healthy', cause: '', at: 0 });
      const lease = [...fleet.pools()][0]!.lease({ hash: () => 0, affinity: () => undefined, now: () => 0 }, []);
      assert.equal(lease?.upstream, upstream);
      const { revision } = await manager.update(id, { lifecycle: 'draining' });
      await eventually('the drain is acknowledged', async () => {
        const told = await row(manager);
        if ((told?.appliedRevision ?? -1) < revision) return false;
        assert.equal(told?.inFlight.get(id), 1, 'acknowledged without its count');
        return true;
      });
      lease?.release({ kind: 'completed', status: 200 });
      await eventually('the end is told', async () => (await row(manager))?.inFlight.get(id) === 0);
      await link.stop();
      assert.deepEqual(await manager.proxies(), []);
    } finally {
      await close();
    }
  });

  it('serves on from the last picture when the file is moved away, and recovers when it is back', async () => {
    const { path, manager, fleet, link, alerts, close } = await open();
    try {
      const [added] = await manager.reserve([DRAFT], [9_000], 1);
      await link.start();
      await eventually('the instance is known', () => [...fleet.pools()][0]?.get(added!.id) !== undefined);
      await rename(path, `${path}.away`);
      await eventually('the alert', () => alerts.length > 0);
      assert.deepEqual(alerts, ['! registry-unavailable']);
      assert.ok([...fleet.pools()][0]?.get(added!.id));
      await rename(`${path}.away`, path);
      await eventually('the recovery', () => alerts.includes('ok registry-unavailable'));
      assert.ok([...fleet.pools()][0]?.get(added!.id));
    } finally {
      await close();
    }
  });
});
