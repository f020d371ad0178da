import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  configuredInstances,
  EnvSchema,
  HashKeySchema,
  RouteSchema,
  ServerSchema,
  ServiceNameSchema,
  ServiceSchema,
  StickySchema,
} from '../../../internal/model/service.ts';
import { assertSorted, isAccepted } from '../../support/schemas.ts';

describe('a service', () => {
  it('needs a name alone; the rest has the documented defaults', () => {
    assert.deepEqual(ServiceSchema.parse({ name: 'web' }), {
      name: 'web',
      env: {},
      cwd: '.',
      versions: {},
      servers: [],
      agents: false,
      routes: [{ host: '*', path: '/', rateLimit: null }],
      algorithm: 'round-robin',
      hash: { key: 'ip+url', balanceFactor: null },
      sticky: {},
      maxConnections: null,
      adaptiveConcurrency: null,
      queue: { limit: 1_000, timeout: 1_000, shed: true },
      healthCheck: {
        type: 'http',
        path: '/health',
        headers: {},
        interval: 1_000,
        timeout: 500,
        rise: 2,
        fall: 3,
        expect: [{ from: 200, to: 399 }],
        verifyCertificate: true,
        reuseConnection: true,
        neverEmpty: true,
        rescue: 'unreachable',
      },
      outlierDetection: {
        enabled: true,
        consecutiveErrors: 5,
        interval: 10_000,
        errorRate: 0.1,
        latencyFactor: 5,
        hangAfter: 5_000,
        ejectionTime: 10_000,
        maxEjectionTime: 300_000,
        maxEjected: null,
      },
      panicThreshold: 0.5,
      readiness: { interval: 250, deadline: 60_000 },
      drainTimeout: 30_000,
      stopSignal: 'SIGTERM',
      stopTimeout: 10_000,
      noRestartCodes: [],
      runAs: null,
      rollout: { maxSurge: 1, maxUnavailable: 0, minHealthy: 5_000, maxErrorRate: 0.05 },
      slowStart: 10_000,
      replaceUnhealthyAfter: 30_000,
      limits: { memory: null },
      hold: { limit: 1_000, timeout: 30_000 },
      scaleFromZero: false,
      idleAfter: null,
      autoscale: null,
    });
  });

  it('has a name that fits into host names, file names and cookie names', () => {
    const good = ['web', 'a', '7', 'my-app-2', 'a'.repeat(63)];
    assertSorted(ServiceNameSchema, good, ['', 'Web', '-web', 'web-', 'a b', 'a.b', 'a/b', 'wéb', 'a'.repeat(64)]);
  });

  it('has a command of one word at least, which can be handed to the system', () => {
    const command = (...words: unknown[]) => ({ name: 'web', command: words });
    assertSorted(
      ServiceSchema,
      [command('node', 'app.js', '{port}')],
      [command(), command(''), command('node', 'a\0b')],
    );
  });

  it('refuses unknown keys at every level', () => {
    const bad = [{ port: 1 }, { healthCheck: { url: '/' } }, { routes: [{ prefix: '/' }] }, { sticky: { name: 'x' } }];
    for (const extra of bad) assert.ok(!isAccepted(ServiceSchema, { name: 'web', ...extra }), JSON.stringify(extra));
  });
});

describe('the number of instances to spawn', () => {
  const numberFor = (fields: object) => configuredInstances(ServiceSchema.parse({ name: 'web', ...fields }));

  it('is one when there is a command that nobody gave a number', () => {
    assert.equal(numberFor({ command: ['x'] }), 1);
  });

  it('is what the configuration says, none included', () => {
    assert.equal(numberFor({ command: ['x'], instances: 3 }), 3);
    assert.equal(numberFor({ command: ['x'], instances: 0 }), 0);
  });

  it('is none without a command', () => {
    assert.equal(numberFor({ servers: ['10.0.0.7:80'] }), 0);
    assert.equal(numberFor({ instances: 3 }), 0);
  });
});

describe('the servers of a service', () => {
  it('are addresses with a port, and a weight if need be', () => {
    const parsed = ['10.0.0.7:8080', 'app_1.example:80', '[fd00::1]:443', { address: 'b:1', weight: 5 }].map((server) =>
      ServerSchema.parse(server),
    );
    assert.deepEqual(parsed, [
      { host: '10.0.0.7', port: 8080, weight: 1 },
      { host: 'app_1.example', port: 80, weight: 1 },
      { host: 'fd00::1', port: 443, weight: 1 },
      { host: 'b', port: 1, weight: 5 },
    ]);
  });

  it('are nothing else', () => {
    const bad = ['a', 'a:', ':80', 'a:0', 'a:65536', 'a:80x', 'http://a:80', 'fd00::1:80', 'a b:80', 'a:80/x', 80];
    assertSorted(ServerSchema, [], [...bad, {}, { address: 'a:1', weight: 0 }, { address: 'a:1', port: 1 }]);
  });
});

describe('a route', () => {
  it('matches every host and path by default, and takes as many requests as come', () => {
    assert.deepEqual(RouteSchema.parse({}), { host: '*', path: '/', rateLimit: null });
  });

  it('has a host name in lower case, with a wildcard as its first label only', () => {
    assert.equal(RouteSchema.parse({ host: '*.Example.ORG' }).host, '*.example.org');
    const hosts = ['*', 'localhost', 'a.example', '*.example', '127.0.0.1', '[::1]', 'my_app'];
    const bad = ['', '**', 'a.*', '*a.example', 'a..b', '.a', 'a.', 'a:80', 'http://a', 'a b', 'a/b'];
    assertSorted(
      RouteSchema,
      hosts.map((host) => ({ host })),
      bad.map((host) => ({ host })),
    );
  });

  it('has a path from the root', () => {
    assertSorted(RouteSchema, [{ path: '/' }, { path: '/api' }], [{ path: '' }, { path: 'api' }, { path: '*' }]);
  });
});

describe('the key of a hash', () => {
  it('is the address, the URL, both, or a header or cookie by name', () => {
    const good = ['ip', 'url', 'ip+url', 'header:X-User', 'cookie:session_id'];
    const bad = ['', 'IP', 'url+ip', 'header', 'header:', 'header:a b', 'cookie:a;b', 'cookie:a=b', 'query:x', 'ip '];
    assertSorted(HashKeySchema, good, bad);
  });

  it('comes with a bound above one, or none', () => {
    const withFactor = (balanceFactor: unknown) => ({ name: 'web', hash: { balanceFactor } });
    assertSorted(ServiceSchema, [1.25, 100, null].map(withFactor), [1, 0, 101, '1.25'].map(withFactor));
  });
});

describe('a sticky cookie', () => {
  it('has a name that a Set-Cookie field can carry, and a secret that cannot be guessed', () => {
    const good = [{}, { cookie: 'session', secret: 'sixteen letters!' }];
    assertSorted(StickySchema, good, [{ cookie: '' }, { cookie: 'a b' }, { cookie: 'a;b' }, { secret: 'short' }]);
  });
});

describe('variables', () => {
  it('have names that a shell knows', () => {
    const good = [{ A: '1', _b2: '' }, {}];
    assertSorted(EnvSchema, good, [{ 'a b': '1' }, { '2A': '1' }, { 'A=B': '1' }, { '': '1' }, { A: 1 }]);
  });

  // The system ends a value at its first NUL character: what follows is lost,
  // and what was checked is not what the process gets.
  it('have values without NUL characters', () => {
    assertSorted(EnvSchema, [{ A: 'two\nlines ü' }], [{ A: 'a\0b' }, { A: '\0' }]);
    const { error } = EnvSchema.safeParse({ A: 'a\0b' });
    assert.match(error?.issues[0]?.message ?? '', /NUL/);
  });
});
