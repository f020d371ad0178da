import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { after as stateAfter, createClient } from '../../internal/client/client.ts';
import type { LiveHistory, LiveState } from '../../internal/model/live.ts';
import { Handle } from '../../internal/registry/sqlite/handle.ts';
import { readSamples } from '../../internal/registry/sqlite/samples.ts';
import { get } from '../../pkg/sockets/http.ts';
import { FreshConnections, replace } from '../support/e2e-reload.ts';
import { System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

/** Somebody who watches, and comes back when he is cut off, as a page in a browser does. */
class Watcher {
  state: LiveState | null = null;
  history: LiveHistory | null = null;
  /** How often a stream has begun. */
  visits = 0;
  readonly #ending = new AbortController();
  readonly #watching: Promise<void>;

  constructor(baseUrl: string) {
    this.#watching = this.#watch(baseUrl);
  }

  /** The service, as soon as it is as wanted. */
  until(what: string, isSo: (state: LiveState) => boolean): Promise<boolean> {
    return eventually(
      () => `${what}; now: ${JSON.stringify(this.state)}`,
      () => this.state !== null && isSo(this.state),
    );
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#watching;
  }

  async #watch(baseUrl: string): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await this.#visit(baseUrl).catch(() => {}); // the manager is being replaced
      await sleep(50, undefined, { signal }).catch(() => {});
    }
  }

  async #visit(baseUrl: string): Promise<void> {
    for await (const { event, data } of createClient({ baseUrl }).live({ signal: this.#ending.signal })) {
      if (event === 'state') {
        this.state = data;
        this.visits += 1;
      }
      if (event === 'history') this.history = data;
      if (event === 'tick' && this.state !== null) this.state = stateAfter(this.state, data);
    }
  }
}

function isBusy({ services: [web], instances }: LiveState): boolean {
  const all = instances.filter(({ status }) => status === 'running');
  return (web?.traffic.rps ?? 0) > 0 && all.length === 2 && all.every(({ traffic }) => traffic.p99 !== null);
}

describe('the live stream', () => {
  let system: System;
  let watcher: Watcher;
  before(async () => {
    system = await System.create();
    await system.up(2);
    watcher = new Watcher(system.api);
  });
  after(async () => {
    await watcher.stop();
    await system[Symbol.asyncDispose]();
  });

  it('tells what requests do, counts each once, and goes on while both processes are replaced', async () => {
    const load = new FreshConnections(system.ports.proxy, 2);
    await watcher.until('both instances are busy', isBusy);
    const { successor } = await replace(system, 'proxy');
    await watcher.until('the successor is there alone', ({ loadBalancers: [first, ...others] }) => {
      return first?.pid === successor && others.length === 0;
    });
    await load.more(20);
    await watcher.until('the successor tells, too', isBusy);
    const { visits } = watcher;
    await replace(system, 'manager');
    await eventually('he is back', () => watcher.visits > visits);
    await watcher.until('the new manager tells', isBusy);
    await load.stop();
    assert.deepEqual(load.failures, []);
    await watcher.until('nothing happens any more', ({ services: [web] }) => {
      return web?.traffic.rps === 0 && web.traffic.p99 === null && web.traffic.inFlight === 0;
    });
    assert.equal(requestsSampled(system), load.answers);
    const { rps = [] } = watcher.history?.services['web'] ?? {};
    assert.ok(
      rps.length === 0 || rps.some((point) => point !== null),
      'it remembers what was before it, if a span is over',
    );
  });

  it('shows an instance that is being drained with the time it has, and that it is gone', async () => {
    const [first] = await system.list();
    assert.ok(first);
    const hanging = [1, 2].map(() => get(`${system.proxy}/hang`).on('error', () => {})); // one on each
    await watcher.until('each has one in flight', ({ instances }) =>
      instances.every(({ traffic }) => traffic.inFlight === 1),
    );
    const removing = system.remove(first.port);
    await watcher.until('it is draining', ({ instances }) => {
      const drain = instances.find(({ id }) => id === first.id)?.drain;
      return drain?.inFlight === 1 && Date.parse(drain.until) - Date.parse(drain.since) === 15_000;
    });
    for (const request of hanging) request.destroy();
    await removing;
    await watcher.until('it is gone', ({ instances }) => !instances.some(({ id }) => id === first.id));
    await watcher.until('its end is told', ({ events }) => {
      return events.some(({ type, instanceId }) => type === 'instance.removed' && instanceId === first.id);
    });
  });
});

/** Over all load balancers that there were. */
function requestsSampled({ registryPath }: System): number {
  const handle = new Handle({ path: registryPath, create: false, checkpointPages: 1_000 });
  try {
    return readSamples(handle, 0).reduce(
      (sum, { services }) => services.reduce((own, { ended }) => own + ended, sum),
      0,
    );
  } finally {
    handle.close();
  }
}
