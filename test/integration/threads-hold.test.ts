import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { asking, held, listing, LONG, pause, resume } from '../support/holding.ts';
import { serviceState } from '../support/proxy-fakes.ts';
import { eventually, parseMessage, RawBackend, rawClient, requestText } from '../support/proxy-raw.ts';
import { ThreadedSite } from '../support/threaded-site.ts';

const PAGE = '<!doctype html><title>Gleich zurück</title>';

describe('four threads', () => {
  it('pause and go on as one, in the order of arrival over all of them', async () => {
    const { backend, seen } = await listing();
    await using site = await ThreadedSite.open(4, [backend.port], { maxConnections: 1, hold: LONG });
    pause(site.fleet);
    const clients = [];
    for (let n = 0; n < 40; n += 1) {
      clients.push(await rawClient(site.port, requestText(`GET /${n}`)));
      await eventually('it is held', () => held(site) === n + 1);
    }
    assert.deepEqual(seen, []);
    resume(site.fleet);
    for (const client of clients) assert.equal(parseMessage(await client.rest()).status, 200);
    assert.deepEqual(
      seen,
      clients.map((_, n) => `/${n}`),
    );
    await backend.stop();
  });

  it('lose nothing when they are paused under load, and count what came', async () => {
    const { backend, seen } = await listing();
    await using site = await ThreadedSite.open(4, [backend.port], { hold: LONG });
    let enough = false;
    const clients = Array.from({ length: 32 }, () => asking(site.port, () => enough));
    for (let round = 1; round <= 5; round += 1) {
      const before = seen.length;
      await eventually('they are at it', () => seen.length > before + 50);
      pause(site.fleet);
      const { picks = 0 } = [...(site.fleet.pool('web')?.upstreams() ?? [])][0] ?? {};
      await eventually('all are held', () => held(site) === 32);
      assert.equal([...(site.fleet.pool('web')?.upstreams() ?? [])][0]?.picks, picks, 'picked after the pause');
      resume(site.fleet);
    }
    enough = true;
    const statuses = (await Promise.all(clients)).flat();
    assert.deepEqual([...new Set(statuses)], [200]);
    assert.equal(site.fleet.demand()[0]?.requests, statuses.length);
    await backend.stop();
  });

  it('share the limit, tell the main thread that somebody waits, and have the page', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'heimdall-hold-'));
    await writeFile(join(dir, 'page.html'), PAGE);
    await using site = await ThreadedSite.open(4, [], {
      scaleFromZero: true,
      hold: { limit: 3, timeout: '60s', page: join(dir, 'page.html') },
    });
    const clients = await Promise.all(
      Array.from({ length: 12 }, () => rawClient(site.port, requestText('GET /', ['Accept: text/html']))),
    );
    const refused = () => clients.filter(({ ended }) => ended);
    await eventually('all but three have an answer', () => refused().length === 9);
    for (const client of refused()) {
      const answer = parseMessage(await client.rest());
      assert.deepEqual([answer.status, Buffer.from(answer.body, 'latin1').toString()], [503, PAGE]);
    }
    assert.equal(held(site), 3);
    assert.ok(site.heldTold >= 1);
    for (const client of clients) client.close();
    await eventually('nobody waits', () => held(site) === 0);
    await rm(dir, { recursive: true });
  });

  it('take over another algorithm and limit that are set by hand, and give them back', async () => {
    const silent = await RawBackend.start(() => {});
    await using site = await ThreadedSite.open(2, [silent.port], { queue: { limit: 0, timeout: '1s' } });
    const overrides = { maxConnections: { value: 1, over: null } };
    site.fleet.apply([], [serviceState({ overrides })]);
    await eventually('all threads have it', () => site.slots.isPast(site.slots.generation - 1));
    const runs = await rawClient(site.port, requestText('GET /'));
    await eventually('one is on its way', () => site.inFlight().get(silent.port) === 1);
    for (let n = 0; n < 8; n += 1) {
      const client = await rawClient(site.port, requestText('GET /'));
      assert.equal(parseMessage(await client.rest()).status, 503);
    }
    site.fleet.apply([], [serviceState()]);
    await eventually('all threads have it', () => site.slots.isPast(site.slots.generation - 1));
    const more = await Promise.all(Array.from({ length: 8 }, () => rawClient(site.port, requestText('GET /'))));
    await eventually('all are on their way', () => site.inFlight().get(silent.port) === 9);
    for (const client of [runs, ...more]) client.close();
    await silent.stop();
  });
});
