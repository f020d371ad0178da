import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeimdallError } from '../../../../internal/model/errors.ts';
import type { TrafficSample } from '../../../../internal/model/traffic-sample.ts';
import type { ProxyRecord } from '../../../../internal/registry/registry.ts';
import { LiveTraffic } from '../../../../internal/server/live/live-traffic.ts';
import { UsageHistory } from '../../../../internal/server/live/usage-history.ts';
import { liveService } from '../../../support/live-state.ts';
import { sample } from '../../../support/traffic-sample.ts';

const START = 15_000 * 1_000;
const MINUTES_MS = 60_000;

function setUp() {
  const site = {
    now: START,
    rows: [] as TrafficSample[],
    sinces: [] as number[],
    noted: [] as number[],
    isAway: false,
  };
  const away = () => new HeimdallError('REGISTRY_UNAVAILABLE', 'gone');
  const registry = {
    samples: async (since: number) => {
      site.sinces.push(since);
      return site.rows.filter(({ until }) => until > since);
    },
    noteWatched: async (until: number) => {
      if (site.isAway) throw away();
      site.noted.push(until);
    },
  };
  const traffic = new LiveTraffic({ registry, usage: new UsageHistory(), clock: () => site.now });
  return { site, traffic };
}

function proxy(id: string, now: number): ProxyRecord {
  return { id, pid: 1, startedAt: START - MINUTES_MS, heartbeatAt: now, appliedRevision: 1, inFlight: new Map() };
}

describe('live traffic', () => {
  it('tells load balancers that somebody watches, no more often than need be', async () => {
    const { site, traffic } = setUp();
    for (let second = 0; second < 25; second += 1) {
      await traffic.watch();
      site.now += 1_000;
    }
    assert.deepEqual(site.noted, [START + 15_000, START + 25_000, START + 35_000]);
    site.now = START - 3_600_000;
    await traffic.watch();
    assert.equal(site.noted.at(-1), site.now + 15_000, 'the clock was set back');
  });

  it('tells it again when the registry is back', async () => {
    const { site, traffic } = setUp();
    site.isAway = true;
    await traffic.watch();
    site.isAway = false;
    await traffic.watch();
    assert.equal(site.noted.length, 1);
  });

  it('reads a quarter of an hour when somebody comes, and then what is new', async () => {
    const { site, traffic } = setUp();
    site.rows = [sample({ from: START - 15_000, until: START, requests: 150 })];
    const proxies = [proxy('lb-1', START)];
    await traffic.watch();
    const { rps } = (await traffic.read(proxies)).ofService('web');
    assert.equal(rps, 10);
    site.now += 1_000;
    await traffic.read(proxies);
    assert.deepEqual(site.sinces, [START - 15 * MINUTES_MS, START - 1_000]);
    const history = traffic.history({ services: [liveService('web')], instances: [] });
    assert.deepEqual(history.services.web?.rps.slice(-2), [0, 10]);
    traffic.rest();
    await traffic.watch();
    await traffic.read(proxies);
    assert.equal(site.sinces.at(-1), site.now - 15 * MINUTES_MS, 'who comes later gets it all, too');
  });

  it('reads little for somebody who does not stay, and tells nobody', async () => {
    const { site, traffic } = setUp();
    site.rows = [sample({ from: START - 10_000, until: START - 2_000, requests: 80, inFlight: 4, waiting: 1 })];
    const now = await traffic.read([proxy('lb-1', START)]);
    assert.deepEqual(
      [now.ofService('web').rps, now.ofService('web').waiting, now.ofInstance('web-1').inFlight],
      [10, 1, 4],
    );
    assert.deepEqual([site.sinces, site.noted], [[START - 30_000], []]);
  });

  it('counts nothing as under way at a load balancer that is gone', async () => {
    const { site, traffic } = setUp();
    site.rows = [sample({ from: START - 10_000, until: START - 2_000, inFlight: 4, waiting: 1 })];
    const now = await traffic.read([proxy('lb-1', START - 6_000)]);
    assert.deepEqual([now.ofService('web').waiting, now.ofService('web').inFlight], [0, 0]);
  });
});
