import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { it, type TestContext } from 'node:test';
import { INITIAL_LIMIT } from '../../internal/health/concurrency.ts';
import { LineGauge } from '../../internal/proxy/line-gauge.ts';
import { describeEngines } from '../support/engines.ts';
import { OK } from '../support/holding.ts';
import { eventually, onHeads, parseMessage, RawBackend, rawClient, requestText } from '../support/proxy-raw.ts';
import { ProxySite } from '../support/proxy-site.ts';
import { ThreadedSite } from '../support/threaded-site.ts';

const CLIENTS = 50;
/** A client that was sent away does not come back at once. */
const REST_MS = 100;

/** Works on some requests at a time; the others wait there. */
async function slowBackend(t: TestContext, workers: number, serviceMs: number): Promise<RawBackend> {
  let chain: Promise<unknown>[] = Array.from({ length: workers }, () => Promise.resolve());
  const backend = await RawBackend.start((connection) => {
    onHeads(connection, () => {
      const [first = Promise.resolve(), ...others] = chain;
      const answered = first.then(() => delay(serviceMs)).then(() => connection.write(OK));
      chain = [...others, answered];
    });
  });
  t.after(() => backend.stop());
  return backend;
}

/** Many clients that come again as soon as they are answered. */
class Crowd {
  readonly answers: { readonly status: number; readonly retryAfter: string | undefined }[] = [];
  readonly #done: Promise<unknown>;
  #enough = false;

  constructor(port: number) {
    this.#done = Promise.all(Array.from({ length: CLIENTS }, () => this.#ask(port)));
  }

  count(status: number): number {
    return this.answers.filter((answer) => answer.status === status).length;
  }

  async end(): Promise<void> {
    this.#enough = true;
    await this.#done;
  }

  async #ask(port: number): Promise<void> {
    while (!this.#enough) {
      const client = await rawClient(port, requestText('GET /'));
      const { status, fields } = parseMessage(await client.rest());
      this.answers.push({ status, retryAfter: fields.find(([name]) => name.toLowerCase() === 'retry-after')?.[1] });
      client.close();
      if (status !== 200) await delay(REST_MS);
    }
  }
}

describeEngines('an overload', () => {
  it('is answered with 503 soon, says so in the log, and goes on being served', async (t) => {
    const backend = await slowBackend(t, 1, 5);
    await using site = await ProxySite.open([backend.port], {
      service: { maxConnections: 1, queue: { timeout: '200ms' } },
    });
    const crowd = new Crowd(site.port);
    const shed = () => site.records.filter(({ refusal }) => refusal === 'shed');
    await eventually('some are sent away', () => shed().length > 20);
    const before = crowd.count(200);
    await eventually('others are served', () => crowd.count(200) > before + 10);
    await crowd.end();
    assert.ok(
      shed().every(({ status, service, attempts }) => status === 503 && service === 'web' && attempts.length === 0),
    );
    assert.ok(
      site.records.some(({ refusal }) => refusal === 'busy'),
      'nobody had waited for the whole time',
    );
    assert.ok(site.records.filter(({ status }) => status === 200).every(({ refusal }) => refusal === undefined));
    const refused = crowd.answers.filter(({ status }) => status !== 200);
    assert.ok(refused.every(({ status, retryAfter }) => status === 503 && Number(retryAfter) >= 1));
  });

  it('tells those who want a WebSocket, too, when to come again', async (t) => {
    const backend = await slowBackend(t, 1, 5);
    await using site = await ProxySite.open([backend.port], { service: { maxConnections: 1, queue: { limit: 0 } } });
    const pool = site.fleet.pool('web');
    assert.ok(pool !== undefined);
    for (const upstream of pool.upstreams()) upstream.claim();
    const { state, pool: place } = pool.place;
    const gauge = new LineGauge(state.lines, place);
    gauge.restart(performance.now());
    for (let turn = 0; turn < 20; turn += 1) gauge.turn(performance.now());
    state.setWaiting(place, 1e9, Number.POSITIVE_INFINITY);
    const upgrade = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: YQ==',
    ];
    const client = await rawClient(site.port, requestText('GET /', upgrade));
    const { status, fields } = parseMessage(await client.rest());
    state.setWaiting(place, 0, Number.POSITIVE_INFINITY);
    for (const upstream of pool.upstreams()) upstream.unclaim(false);
    const retryAfter = fields.find(([name]) => name.toLowerCase() === 'retry-after')?.[1];
    assert.equal(status, 503);
    assert.ok(Number(retryAfter) > 1, `after ${retryAfter} s`);
  });

  it('finds out by itself how many requests the backend can work on', async (t) => {
    const backend = await slowBackend(t, 2, 20);
    await using site = await ProxySite.open([backend.port], { service: { adaptiveConcurrency: {} } });
    const [upstream] = [...(site.fleet.pool('web')?.upstreams() ?? [])];
    await eventually('it has a limit', () => upstream?.concurrency === INITIAL_LIMIT);
    for (let n = 0; n <= INITIAL_LIMIT; n += 1) await (await rawClient(site.port, requestText('GET /'))).rest();
    await eventually('it is known how long answers take', () => (upstream?.concurrencyLimit?.unloadedMs ?? 0) > 0);
    const crowd = new Crowd(site.port);
    await eventually('the limit is near', () => {
      const { concurrency = 0, inFlight = 0 } = upstream ?? {};
      return concurrency >= 1 && concurrency <= 12 && inFlight <= 12;
    });
    const before = crowd.count(200);
    await eventually('they are served', () => crowd.count(200) > before + 50);
    await crowd.end();
  });
});

it('four threads share one limit and one line', async (t) => {
  const backend = await slowBackend(t, 2, 10);
  await using site = await ThreadedSite.open(4, [backend.port], {
    adaptiveConcurrency: { max: 4 },
    queue: { timeout: '100ms' },
  });
  const [upstream] = [...(site.fleet.pool('web')?.upstreams() ?? [])];
  await eventually('it has a limit', () => upstream?.concurrency === 4);
  const crowd = new Crowd(site.port);
  let most = 0;
  await eventually('some are served and some sent away', () => {
    most = Math.max(most, upstream?.inFlight ?? 0);
    return crowd.count(200) > 50 && crowd.count(503) > 20;
  });
  await crowd.end();
  assert.ok(most <= 4 + 4, `${most} were in flight`); // responses that have begun come on top
  assert.equal(crowd.count(200) + crowd.count(503), crowd.answers.length);
});
