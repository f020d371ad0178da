import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Instance } from '../../../internal/model/instance.ts';
import { HealthAlerts } from '../../../internal/health/health-alerts.ts';
import type { Alert } from '../../../pkg/alerts/alert.ts';
import { ServicePool } from '../../../internal/proxy/service-pool.ts';
import type { Upstream } from '../../../internal/proxy/upstream.ts';
import { RecordingSink } from '../../support/alert-sink.ts';
import { settle } from '../../support/manual-clock.ts';
import { service, upstream } from '../../support/proxy-fakes.ts';

class Harness {
  readonly sink = new RecordingSink(({ title }) => title);
  /** What each instance wrote last. */
  readonly lastWords = new Map<string, Promise<readonly string[]>>();
  readonly alerts = new HealthAlerts(
    this.sink,
    () => 1_000,
    { of: async (_service, id) => this.lastWords.get(id) ?? [] },
    true,
  );
  readonly pool = new ServicePool(
    service(),
    'a secret that is long enough',
    { connectFailed() {}, drained() {} },
    () => 0,
  );

  constructor(...upstreams: Upstream[]) {
    for (const each of upstreams) this.pool.put(each);
    this.alerts.lead(true);
    this.alerts.update(this.pool);
  }

  /** Changes one upstream and tells. */
  set(id: string, change: Partial<Instance>, health?: Upstream['health'], cause = 'connect ECONNREFUSED'): string[] {
    const of = this.pool.get(id)!;
    of.update({ ...of.instance, ...change });
    if (health !== undefined) Object.assign(of, { health, healthCause: cause });
    this.alerts.update(this.pool);
    return this.sink.take();
  }

  replace(next: Upstream): string[] {
    this.pool.put(next);
    this.alerts.update(this.pool);
    return this.sink.take();
  }

  remove(id: string): string[] {
    this.pool.delete(id);
    this.alerts.update(this.pool);
    return this.sink.take();
  }
}

const STARTING = { lifecycle: 'starting', health: 'unknown' } as const;

function inheritedAlert(key: string): Alert {
  const [, service, instance] = /:(\w+)\/(.*)/.exec(key) ?? [];
  const title = instance === '' ? `${service} has no healthy instance` : `${instance} is down`;
  return { key, severity: 'warning', title, service, at: 0 };
}

describe('alerts about health', () => {
  it('tell once that an instance is ejected, however often it is tried out, and that it is back', () => {
    const harness = new Harness(upstream('a'), upstream('b'));
    const stand = (standing: Upstream['standing'], until: number) => {
      const of = harness.pool.get('a') ?? assert.fail();
      const ejection = standing === 'in' ? null : { cause: '5 gateway errors in a row', since: 0, until, times: 1 };
      Object.assign(of, { standing, ejection });
      harness.alerts.update(harness.pool);
      return harness.sink.take();
    };
    assert.deepEqual(stand('ejected', 10_000), ['! a is ejected']);
    assert.equal(harness.sink.raised[0]?.cause, '5 gateway errors in a row; no requests before 1970-01-01T00:00:10Z');
    assert.deepEqual(stand('on-trial', 10_000), []);
    assert.deepEqual(stand('ejected', 30_000), []);
    assert.deepEqual(stand('in', 0), ['ok instance-down:web/a']);
  });

  it('say so when an instance that was ejected is found to be down, and do not begin anew', () => {
    const harness = new Harness(upstream('a'), upstream('b'));
    const of = harness.pool.get('a') ?? assert.fail();
    of.standing = 'ejected';
    of.ejection = { cause: '5 connect errors in a row', since: 0, until: 10_000, times: 1 };
    assert.deepEqual(harness.set('a', {}), ['! a is ejected']);
    assert.deepEqual(harness.set('a', {}, 'unhealthy'), ['! a is down']);
    assert.equal(harness.sink.raised[1]?.cause, 'connect ECONNREFUSED');
    assert.deepEqual(harness.set('a', {}, 'unhealthy'), []);
    of.standing = 'in';
    of.ejection = null;
    assert.deepEqual(harness.set('a', {}, 'healthy'), ['ok instance-down:web/a']);
  });

  it('tell once that an instance is down and why, and that it is up again', () => {
    const harness = new Harness(upstream('a'), upstream('b'));
    assert.deepEqual(harness.sink.take(), []);
    assert.deepEqual(harness.set('a', {}, 'unhealthy'), ['! a is down']);
    const { key, severity, cause, service: of, instance: who, outOf, at } = harness.sink.raised[0]!;
    assert.deepEqual([key, severity, of, who, outOf, at], ['instance-down:web/a', 'warning', 'web', 'a', 2, 1_000]);
    assert.equal(cause, 'connect ECONNREFUSED');
    assert.deepEqual(harness.set('a', {}, 'unhealthy', 'status 503'), []);
    assert.deepEqual(harness.set('a', {}, 'healthy'), ['ok instance-down:web/a']);
    assert.deepEqual(harness.set('a', {}, 'healthy'), []);
  });

  it('tell that a service has nobody left, and when it has somebody again', () => {
    const harness = new Harness(upstream('a'), upstream('b'));
    harness.set('a', {}, 'unhealthy');
    assert.deepEqual(harness.set('b', {}, 'unhealthy'), ['! b is down', '! web has no healthy instance']);
    assert.equal(harness.sink.raised.at(-1)?.severity, 'critical');
    assert.match(harness.sink.raised.at(-1)?.cause ?? '', /2 of 2 down: a, b/);
    assert.deepEqual(harness.set('b', {}, 'healthy'), ['ok instance-down:web/b', 'ok service-down:web/']);
  });

  it('say nothing of what a person asked for: adding, draining, removing, even of the last one', () => {
    const harness = new Harness(upstream('a'));
    assert.deepEqual(harness.replace(upstream('b', { lifecycle: 'starting', health: 'unknown' })), []);
    assert.deepEqual(harness.set('b', { lifecycle: 'ready' }), []);
    assert.deepEqual(harness.set('b', {}, 'healthy'), []);
    for (const id of ['a', 'b']) {
      assert.deepEqual(harness.set(id, { lifecycle: 'draining' }), []);
      assert.deepEqual(harness.set(id, {}, 'unhealthy'), []);
      assert.deepEqual(harness.remove(id), []);
    }
  });

  it('quote what an instance wrote before its process ended, once that is known', async () => {
    const harness = new Harness(upstream('a'), upstream('b'));
    const crash = { lifecycle: 'backing-off', lastError: 'exited with code 1' } as const;
    harness.lastWords.set('a', Promise.resolve(['Error: no such table', 'at start.js:7']));
    assert.deepEqual(harness.set('a', crash), ['! a is down']);
    await settle();
    assert.deepEqual(harness.sink.take(), ['! a is down']);
    assert.equal(harness.sink.raised.at(-1)?.cause, 'exited with code 1\nError: no such table\nat start.js:7');
    harness.set('a', { lifecycle: 'failed' });
    await settle();
    assert.deepEqual(harness.sink.take(), [], 'no news');

    const late = Promise.withResolvers<readonly string[]>();
    harness.lastWords.set('b', late.promise);
    harness.set('b', crash);
    harness.replace(upstream('b', { startedAt: 2 }));
    late.resolve(['too late']);
    await settle();
    assert.deepEqual(harness.sink.take(), [], 'it is up again');
  });

  it('tell how a process ended that could not be reached before', async () => {
    const harness = new Harness(upstream('a'), upstream('b'));
    harness.set('a', {}, 'unhealthy', 'connect ECONNREFUSED');
    harness.set('a', { lifecycle: 'backing-off', lastError: 'killed by SIGKILL after 7 s' });
    await settle();
    assert.deepEqual(harness.sink.take(), ['! a is down']);
    assert.equal(harness.sink.raised.at(-1)?.cause, 'killed by SIGKILL after 7 s');
  });

  it('quote nobody whose process runs', async () => {
    const harness = new Harness(upstream('a'), upstream('b'));
    harness.lastWords.set('a', Promise.resolve(['a line']));
    harness.set('a', {}, 'unhealthy');
    await settle();
    assert.deepEqual(harness.sink.take(), []);
  });

  it('follow a crash from the exit over the restart to the first passed probe', () => {
    const harness = new Harness(upstream('a'), upstream('b'));
    assert.deepEqual(harness.set('a', { lifecycle: 'backing-off', lastError: 'exited with code 1' }), ['! a is down']);
    assert.equal(harness.sink.raised[0]?.cause, 'exited with code 1');
    const restarted = { startedAt: 2, health: 'unknown' } as const;
    assert.deepEqual(harness.replace(upstream('a', { ...restarted, lifecycle: 'starting' })), []);
    assert.deepEqual(
      harness.set('a', { lifecycle: 'ready' }),
      [],
      'resolved before anything was known of the new process',
    );
    assert.deepEqual(harness.set('a', {}, 'healthy'), ['ok instance-down:web/a']);
  });

  it('stay while a crash loop ends in failure', () => {
    const harness = new Harness(upstream('a'), upstream('b'));
    assert.deepEqual(harness.set('a', { lifecycle: 'backing-off' }), ['! a is down']);
    assert.deepEqual(harness.set('a', { lifecycle: 'failed' }), []);
    assert.deepEqual(harness.remove('a'), ['ok instance-down:web/a']);
  });

  it('are taken back for instances of a node that is away, whether they leave or are the last ones', () => {
    const harness = new Harness(
      upstream('a1', { node: 'a' }),
      upstream('b1', { node: 'b' }),
      upstream('b2', { node: 'b' }),
    );
    assert.deepEqual(harness.set('b1', {}, 'unhealthy'), ['! b1 is down']);
    assert.equal(harness.sink.raised[0]?.node, 'b');
    harness.alerts.away(new Set(['b']));
    assert.deepEqual(harness.remove('b1'), ['part instance-down:web/b1']);
    assert.deepEqual(harness.set('b2', {}, 'unhealthy'), [], 'the node is told of');
    harness.alerts.away(new Set());
    harness.alerts.update(harness.pool);
    assert.deepEqual(harness.sink.take(), ['! b2 is down'], 'it is a trouble of its own');
    harness.alerts.away(new Set(['a', 'b']));
    assert.deepEqual(harness.set('a1', {}, 'unhealthy'), [
      'part instance-down:web/b2',
      '! web has no healthy instance',
    ]);
    assert.match(harness.sink.raised.at(-1)?.cause ?? '', /^2 of 2 down: a1, b2 \(away: node a, b\)$/);
  });

  it('are taken back for what an agent left behind, but not when that is well again', () => {
    const agent = { id: 'far', metadata: {} };
    const harness = new Harness(upstream('a'), upstream('b', { agent, node: 'x' }), upstream('c', { agent }));
    harness.set('b', {}, 'unhealthy');
    harness.set('c', {}, 'unhealthy');
    assert.deepEqual(harness.remove('b'), ['part instance-down:web/b']);
    assert.deepEqual(harness.set('c', {}, 'healthy'), ['ok instance-down:web/c']);
  });

  it('end with the service', () => {
    const harness = new Harness(upstream('a'));
    harness.set('a', {}, 'unhealthy');
    harness.alerts.removed('web');
    assert.deepEqual(harness.sink.take(), ['ok instance-down:web/a', 'ok service-down:web/']);
  });

  it('do not confuse services whose names begin alike', () => {
    const harness = new Harness(upstream('a'));
    harness.set('a', {}, 'unhealthy');
    const other = new ServicePool(
      service({ name: 'web-2' }),
      'a secret',
      { connectFailed() {}, drained() {} },
      () => 0,
    );
    harness.alerts.update(other);
    harness.alerts.removed('we');
    assert.deepEqual(harness.sink.take(), []);
  });

  it('come from one load balancer; the one that takes over tells what is still wrong, and nothing else', () => {
    const harness = new Harness(upstream('a'), upstream('b'), upstream('c'));
    harness.alerts.lead(false);
    assert.deepEqual(harness.set('a', {}, 'unhealthy'), []);
    assert.deepEqual(harness.set('b', {}, 'unhealthy'), []);
    assert.deepEqual(harness.set('b', {}, 'healthy'), []);
    harness.alerts.lead(true);
    assert.deepEqual(harness.sink.take(), ['! a is down']);
    harness.alerts.lead(true);
    assert.deepEqual(harness.sink.take(), []);
    assert.deepEqual(harness.set('a', {}, 'healthy'), ['ok instance-down:web/a']);
  });

  it('are left to the one that takes over', () => {
    const harness = new Harness(upstream('a'), upstream('b'));
    harness.set('a', {}, 'unhealthy');
    harness.alerts.lead(false);
    assert.deepEqual(harness.sink.take(), ['left instance-down:web/a']);
    assert.deepEqual(harness.set('a', {}, 'healthy'), []);
  });

  it('of one that is gone go on while they hold, end when they do not, and are those about health only', () => {
    const harness = new Harness(upstream('a', { health: 'unhealthy' }), upstream('b'), upstream('c', STARTING));
    const inherited = [
      ...['web/a', 'web/b', 'web/c', 'web/gone', 'api/a'].map((name) => inheritedAlert(`instance-down:${name}`)),
      inheritedAlert('service-down:web/'),
      inheritedAlert('thread-crashed:1'),
    ];
    harness.sink.take();
    assert.deepEqual(
      harness.alerts.inherit(inherited, [harness.pool]).map(({ key }) => key),
      ['thread-crashed:1'],
    );
    assert.deepEqual(harness.sink.take(), [
      'ok instance-down:web/b',
      'ok instance-down:web/gone',
      'ok service-down:web/',
      'ok instance-down:api/a',
    ]);
    assert.deepEqual(harness.set('c', { lifecycle: 'ready' }, 'healthy'), ['ok instance-down:web/c']);
  });
});
