import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crossCheck } from '../../../internal/config/cross-checks.ts';
import { formatPath } from '../../../internal/config/problem.ts';
import { ConfigSchema } from '../../../internal/config/schema.ts';

const TOKEN = 'a-token-of-enough-length';
const web = { name: 'web', command: ['node', 'app.js'] };
const api = { name: 'api', servers: ['10.0.0.7:80'], routes: [{ path: '/api' }] };

/** The faults as `path: message`. */
function faults(config: unknown): string[] {
  return crossCheck(ConfigSchema.parse(config)).map(({ path, message }) => `${formatPath(path)}: ${message}`);
}

function assertFault(config: unknown, ...expected: RegExp[]): void {
  const found = faults(config);
  assert.equal(found.length, expected.length, found.join('\n'));
  expected.forEach((pattern, index) => assert.match(found[index] ?? '', pattern));
}

describe('crossCheck', () => {
  it('finds nothing wrong with a sound configuration', () => {
    assert.deepEqual(faults({ services: [web, api] }), []);
    assert.deepEqual(faults({}), []);
  });

  it('refuses a node at no address of its own', () => {
    assertFault({ node: { address: '0.0.0.0' } }, /^node\.address: stands for all addresses/);
    assert.deepEqual(faults({ node: { address: '10.0.0.5' } }), []);
  });

  it('refuses a channel for the alerts of a service that there is not', () => {
    const webhooks = [{ url: 'https://hooks.example.org/', services: ['web', 'aip'] }];
    const expected = /^alerts\.webhooks\[0\]\.services\[1\]: there is no service "aip" \(did you mean "api"\?\)$/;
    assertFault({ services: [web, api], alerts: { webhooks } }, expected);
    assert.deepEqual(faults({ services: [web, { ...api, name: 'aip' }], alerts: { webhooks } }), []);
  });

  it('refuses ports where nobody would reach the dashboard, and leaves those of traffic and instances alone', () => {
    const expected = [
      /^manager\.port: browsers and fetch refuse .*neither/,
      /^proxy\.admin\.port: browsers and fetch refuse/,
    ];
    assertFault({ manager: { port: 6_000 }, proxy: { admin: { port: 10_080 } } }, ...expected);
    assert.deepEqual(faults({ proxy: { port: 6_000 }, ports: { from: 6_600, to: 6_700 }, services: [web] }), []);
  });

  it('refuses more rate limits than there is room for', () => {
    const limited = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ path: `/${n}`, rateLimit: { requests: 1, per: '1s' } }));
    const expected = /^services\[1\]\.routes\[1\]\.rateLimit: there is room for 4096 limits, but .* have 4097 in all$/;
    const last = { ...api, routes: [{ path: '/x' }, { path: '/y', rateLimit: { requests: 1, per: '1s' } }] };
    assertFault({ services: [{ ...web, routes: limited(4_096) }, last] }, expected);
    assert.deepEqual(faults({ services: [{ ...web, routes: limited(4_096) }, api] }), []);
  });

  it('refuses a rule about a service that there is not', () => {
    const rules = [{ when: 'p99', above: '1s', services: ['wbe'] }];
    assertFault(
      { services: [web, api], alerts: { rules } },
      /^alerts\.rules\[0\]\.services\[0\]: there is no service "wbe" \(did you mean "web"\?\)$/,
    );
  });

  it('refuses rules whose alerts nobody could tell apart', () => {
    const errors = { when: 'error-rate', above: '5%' };
    const both = (first: object, second: object) => ({ services: [web, api], alerts: { rules: [first, second] } });
    assertFault(
      both(errors, { ...errors, for: '1h', services: ['web'] }),
      /^alerts\.rules\[1\]: repeats .*rules\[0\]; give/,
    );
    assertFault(both({ ...errors, name: 'a' }, { ...errors, above: '9%', name: 'a' }), /^alerts\.rules\[1\]: repeats/);
    assert.deepEqual(faults(both(errors, { ...errors, name: 'long', for: '1h' })), []);
    assert.deepEqual(faults(both({ ...errors, services: ['api'] }, { ...errors, services: ['web'] })), []);
    const disk = { when: 'disk', above: '90%' };
    assert.deepEqual(faults(both(disk, { ...disk, of: '/' })), []);
  });

  it('refuses a manager that others can reach without a token', () => {
    // The API runs commands: without a token, anyone who reaches the port owns the machine.
    assertFault({ manager: { host: '0.0.0.0' } }, /^manager\.host: .*can run commands.*manager\.token/);
    assertFault({ manager: { host: 'box.example.com' } }, /^manager\.host: /);
    assert.deepEqual(faults({ manager: { host: '0.0.0.0', token: TOKEN } }), []);
  });

  it('refuses an admin port that others can reach without a token', () => {
    assertFault({ proxy: { admin: { host: '::' } } }, /^proxy\.admin\.host: /);
    assert.deepEqual(faults({ manager: { token: TOKEN }, proxy: { admin: { host: '::' } } }), []);
  });

  it('refuses two listeners on one port', () => {
    assertFault({ manager: { port: 8080 } }, /^proxy\.port: port 8080 is taken by manager\.port already/);
    assertFault({ manager: { port: 8081 } }, /^proxy\.admin\.port: .*manager\.port/);
    assertFault({ proxy: { admin: { port: 8080 } } }, /^proxy\.admin\.port: .*proxy\.port/);
    assert.deepEqual(faults({ proxy: { host: '127.0.0.2' }, manager: { port: 8080 } }), []);
  });

  it('refuses a listener among the ports of instances, when there are any', () => {
    const listeners = { manager: { port: 9000 }, proxy: { port: 9999, admin: { port: 9500 } } };
    assertFault(
      { ...listeners, services: [web] },
      /^manager\.port: lies inside/,
      /^proxy\.port: /,
      /^proxy\.admin\.port: /,
    );
    assert.deepEqual(faults({ ...listeners, services: [api] }), []);
    assert.deepEqual(faults({ manager: { port: 8999 }, proxy: { port: 10_000 }, services: [web] }), []);
  });

  it('refuses a port range that ends before it begins', () => {
    assertFault({ ports: { from: 9001, to: 9000 }, services: [web] }, /^ports\.from: .*9000/);
    assert.deepEqual(faults({ ports: { from: 9000, to: 9000 }, services: [web] }), []);
  });

  it('refuses more instances than there are ports', () => {
    const ports = { from: 9001, to: 9004 };
    const more = { ...web, name: 'more', instances: 1, routes: [{ path: '/more' }] };
    assertFault({ ports, services: [{ ...web, instances: 4 }, more] }, /^ports: .*room for 4.*want 5/);
    assert.deepEqual(faults({ ports, services: [{ ...web, instances: 3 }, more] }), []);
  });

  it('counts one instance for a service that does not say how many', () => {
    const ports = { from: 9001, to: 9001 };
    const other = { ...web, name: 'other', routes: [{ path: '/other' }] };
    assertFault({ ports, services: [web, other] }, /^ports: .*room for 1.*want 2/);
    assert.deepEqual(faults({ ports, services: [web, { ...other, instances: 0 }, api] }), []);
  });

  it('refuses a service that nothing could serve', () => {
    assertFault({ services: [{ name: 'web' }] }, /^services\[0\]: .*"web".*command.*servers/);
    assertFault({ services: [{ name: 'web', instances: 2 }] }, /^services\[0\]\.instances: .*command/);
    assertFault({ services: [{ ...api, instances: 1 }] }, /^services\[0\]\.instances: .*command/);
    assert.deepEqual(faults({ services: [{ ...api, instances: 0 }] }), []);
  });

  it('refuses a name that two services share', () => {
    assertFault({ services: [web, { ...api, name: 'web' }] }, /^services\[1\]\.name: .*services\[0\]/);
  });

  it('refuses a route that two services share', () => {
    const other = { ...api, routes: [{ path: '/x' }, { host: 'EXAMPLE.org', path: '/api' }] };
    assertFault({ services: [web, { ...api, routes: [{}] }] }, /^services\[1\]\.routes\[0\]: .*services\[0\]/);
    assertFault(
      { services: [{ ...web, routes: [{ host: 'example.org', path: '/api' }] }, other] },
      /^services\[1\]\.routes\[1\]: host "example\.org" and path "\/api"/,
    );
    assert.deepEqual(faults({ services: [web, other] }), []);
  });

  it('refuses a server that a service lists twice', () => {
    const servers = ['a.example:80', 'b.example:80', { address: 'A.example:80', weight: 2 }];
    assertFault({ services: [{ ...api, servers }] }, /^services\[0\]\.servers\[2\]: repeats servers\[0\]/);
    assert.deepEqual(faults({ services: [api, { ...web, servers: api.servers }] }), []);
  });

  it('refuses what could never change the number of instances, or never exchange them', () => {
    const autoscale = { min: 1, max: 3, inFlightPerInstance: 10 };
    const of = (service: object) => ({ services: [service] });
    assertFault(of({ ...web, rollout: { maxSurge: 0 } }), /^services\[0\]\.rollout\.maxSurge: .*maxUnavailable 0/);
    assertFault(of({ ...api, autoscale }), /^services\[0\]\.autoscale: needs a command/);
    assertFault(of({ ...api, scaleFromZero: true }), /^services\[0\]\.scaleFromZero: needs a command/);
    assertFault(of({ ...web, idleAfter: '10m' }), /^services\[0\]\.idleAfter: needs scaleFromZero/);
    const asleep = { ...web, scaleFromZero: true, idleAfter: '10m' };
    assertFault(of({ ...asleep, hold: { limit: 0 } }), /^services\[0\]\.hold\.limit: must be above 0/);
    for (const cron of ['* * * * * *', 'at nine', '61 * * * *']) {
      const schedule = [{ cron, instances: 2 }];
      assertFault(of({ ...web, autoscale: { ...autoscale, schedule } }), /schedule\[0\]\.cron: .*five fields/);
    }
    assert.deepEqual(faults(of({ ...asleep, rollout: { maxSurge: 0, maxUnavailable: 1 }, autoscale })), []);
  });

  it('checks what is left when sections or services are missing', () => {
    const { services } = ConfigSchema.parse({ services: [web, { ...api, name: 'web' }] });
    const [first, second] = services;
    assert.deepEqual(
      crossCheck({ services: [first, undefined, second] }).map(({ path }) => path),
      [['services', 2, 'name']],
    );
  });
});
