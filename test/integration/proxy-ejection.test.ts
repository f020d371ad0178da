import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { describeEngines } from '../support/engines.ts';
import { eventually, onHeads, RawBackend, type RawConnection, rawClient, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';
import { ThreadedSite } from '../support/threaded-site.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const ERRORS: Readonly<Record<string, string>> = {
  '502': 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n',
  '503': 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n',
};
type Mood = 'well' | '502' | '503' | 'reset' | 'hang';

/** Backends that answer as they are told to at the moment. */
class Backends {
  readonly moods: Mood[];
  readonly asked: number[];
  readonly all: readonly RawBackend[];

  private constructor(moods: Mood[], asked: number[], all: readonly RawBackend[]) {
    this.moods = moods;
    this.asked = asked;
    this.all = all;
  }

  static async start(...moods: Mood[]): Promise<Backends> {
    const asked = moods.map(() => 0);
    const serve = (connection: RawConnection, index: number) => {
      onHeads(connection, () => {
        asked[index] = (asked[index] ?? 0) + 1;
        const mood = moods[index] ?? 'well';
        if (mood === 'reset') connection.reset();
        else if (mood !== 'hang') connection.write(ERRORS[mood] ?? OK);
      });
    };
    const start = (_: Mood, index: number) => RawBackend.start((connection) => serve(connection, index));
    return new Backends(moods, asked, await Promise.all(moods.map(start)));
  }

  get ports(): number[] {
    return this.all.map(({ port }) => port);
  }
}

/** How long an ejection lasts: longer than any test, or long enough to see that it holds, on a busy machine, too. */
const LASTING = '1m';
const SHORT = '1s';
/** Between requests that ask whether one has ended, in milliseconds. */
const REST_MS = 50;

function settings(ejectionTime: string) {
  return { outlierDetection: { ejectionTime, hangAfter: '150ms' }, slowStart: null };
}

async function siteOf(moods: readonly Mood[], ejectionTime = LASTING) {
  const backends = await Backends.start(...moods);
  const site = await ProxySite.open(backends.ports, { ejects: true, service: settings(ejectionTime) });
  for (const backend of backends.all) site.own(backend);
  return { site, backends, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
}

async function statuses(site: ProxySite, count: number, method = 'GET'): Promise<number[]> {
  const found: number[] = [];
  for (let n = 0; n < count; n += 1) {
    found.push(await site.statusOf(requestText(`${method} /`, method === 'POST' ? ['Content-Length: 0'] : [])));
  }
  return found;
}

function standings(site: { readonly fleet: ProxySite['fleet'] }): string {
  return Array.from(site.fleet.pool('web')?.upstreams() ?? [], ({ standing }) => standing).join(' ');
}

describeEngines('an instance whose checks pass', () => {
  for (const mood of ['503', 'reset'] as const) {
    it(`but whose answer to every request is a ${mood}, is left out after five`, async () => {
      await using pair = await siteOf(['well', mood, 'well']);
      const first = await statuses(pair.site, 21, 'POST');
      assert.equal(first.filter((status) => status !== 200).length, 5);
      assert.equal(pair.backends.asked[1], 5);
      assert.equal(standings(pair.site), 'in ejected in');
    });
  }

  it('but which fails, is tried out by one request now and then, and is back once it is well', async () => {
    await using pair = await siteOf(['well', '502', 'well'], SHORT);
    const { site, backends } = pair;
    const first = await statuses(site, 21, 'POST');
    assert.equal(first.filter((status) => status !== 200).length, 5);
    assert.equal(standings(site), 'in ejected in');
    assert.deepEqual(new Set(await statuses(site, 9, 'POST')), new Set([200]));
    assert.equal(backends.asked[1], 5);
    await eventually('it is tried out', () => standings(site) === 'in on-trial in');
    const trial = await statuses(site, 9, 'POST');
    assert.equal(trial.filter((status) => status !== 200).length, 1);
    await eventually('it is out again', () => standings(site) === 'in ejected in');
    backends.moods[1] = 'well';
    await eventually('it is back', async () => {
      assert.deepEqual(await statuses(site, 3, 'POST'), [200, 200, 200]);
      await delay(REST_MS);
      return standings(site) === 'in in in';
    });
  });

  it('but which resets every request, costs none that may be repeated', async () => {
    await using pair = await siteOf(['well', 'reset', 'well']);
    assert.deepEqual(new Set(await statuses(pair.site, 30)), new Set([200]));
    assert.equal(pair.backends.asked[1], 5);
  });

  it('is not left out where all fail: the pool is not emptied', async () => {
    await using pair = await siteOf(['503', '503', '503']);
    const { site, backends } = pair;
    assert.deepEqual(new Set(await statuses(site, 60, 'POST')), new Set([503]));
    assert.equal(standings(site).match(/ejected/g)?.length, 1);
    assert.ok(backends.asked.filter((count) => count > 20).length === 2, backends.asked.join(' '));
    for (const index of backends.moods.keys()) backends.moods[index] = 'well';
    assert.deepEqual(new Set(await statuses(site, 10, 'POST')), new Set([200]));
  });

  it('but which hangs, is noticed by the age of its requests', async () => {
    await using pair = await siteOf(['well', 'well', 'well']);
    const { site, backends } = pair;
    await statuses(site, 3);
    const known = performance.now() + 6 * 150 + 300;
    await eventually('it is known how long answers take', () => performance.now() > known);
    backends.moods[1] = 'hang';
    const text = requestText('GET /');
    const clients = await Promise.all(Array.from({ length: 12 }, () => site.client(text)));
    await eventually('it is noticed', () => standings(site) === 'in ejected in');
    assert.match(site.upstreams()[1]?.ejection?.cause ?? '', /^its \d requests without an answer are \d+ ms old/);
    const answered = clients.filter(({ received }) => received.startsWith('HTTP/1.1 200'));
    assert.equal(answered.length, 8);
    assert.deepEqual(new Set(await statuses(site, 6)), new Set([200]));
  });
});

describe('an instance that fails requests of several threads', () => {
  it('is left out by all of them as soon as these are five in a row, and is back once it is well', async () => {
    const backends = await Backends.start('well', '502', 'well');
    await using site = await ThreadedSite.open(2, backends.ports, settings(SHORT));
    try {
      const get = async () => {
        const client = await rawClient(site.port, requestText('GET /'));
        const answer = await client.rest();
        client.close();
        return answer.slice(9, 12);
      };
      const all = async (count: number) => Promise.all(Array.from({ length: count }, get));
      await eventually('it is out', async () => {
        await all(6);
        return standings(site) === 'in ejected in';
      });
      assert.deepEqual(new Set(await all(12)), new Set(['200']));
      backends.moods[1] = 'well';
      await eventually('it is back', async () => {
        assert.deepEqual(new Set(await all(6)), new Set(['200']));
        await delay(REST_MS);
        return standings(site) === 'in in in';
      });
    } finally {
      for (const backend of backends.all) await backend.stop();
    }
  });
});
