import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Router } from '../../../internal/proxy/routing.ts';
import { service } from '../../support/proxy-fakes.ts';

function router(routes: Readonly<Record<string, readonly { host?: string; path?: string }[]>>): Router<string> {
  const named = Object.entries(routes).map(([name, of]) => service({ name, routes: of }));
  return new Router(named.flatMap(({ name, routes }) => routes.map((route) => [route, name] as const)));
}

describe('routing', () => {
  it('prefers the exact host, then the longer wildcard, then any host', () => {
    const hosts = router({
      any: [{ host: '*' }],
      short: [{ host: '*.example.com' }],
      long: [{ host: '*.api.example.com' }],
      exact: [{ host: 'www.example.com' }],
    });
    const expected = {
      'www.example.com': 'exact',
      'x.example.com': 'short',
      'a.b.example.com': 'short',
      'v1.api.example.com': 'long',
      'api.example.com': 'short',
      'example.com': 'any',
      'notexample.com': 'any',
      'example.com.evil': 'any',
    };
    for (const [host, name] of Object.entries(expected)) assert.equal(hosts.match(host, '/'), name, host);
  });

  it('prefers the longer path, and matches whole segments only', () => {
    const paths = router({ root: [{ path: '/' }], api: [{ path: '/api' }], v2: [{ path: '/api/v2/' }] });
    const expected = {
      '/': 'root',
      '/api': 'api',
      '/api?x=/api/v2/': 'api',
      '/api/': 'api',
      '/api/v2': 'api',
      '/api/v2/': 'v2',
      '/api/v2/x': 'v2',
      '/apix': 'root',
      '/x/api': 'root',
      '//api': 'root',
    };
    for (const [target, name] of Object.entries(expected)) assert.equal(paths.match('h', target), name, target);
  });

  it('weighs the host before the path', () => {
    const mixed = router({ path: [{ host: '*', path: '/very/long' }], host: [{ host: 'a.example', path: '/' }] });
    assert.equal(mixed.match('a.example', '/very/long/indeed'), 'host');
    assert.equal(mixed.match('b.example', '/very/long/indeed'), 'path');
  });

  it('looks at the name alone: not at the port, the case or the final dot', () => {
    const one = router({ web: [{ host: 'www.example.com' }], six: [{ host: '[::1]' }] });
    for (const host of ['www.example.com:8080', 'WWW.Example.COM', 'www.example.com.', 'www.example.com.:80']) {
      assert.equal(one.match(host, '/'), 'web', host);
    }
    assert.equal(one.match('[::1]:8080', '/'), 'six');
  });

  it('finds nothing where nothing is configured', () => {
    assert.equal(router({}).match('a', '/'), undefined);
    assert.equal(router({ web: [{ host: 'a', path: '/x' }] }).match('a', '/'), undefined);
    assert.equal(router({ web: [{ host: 'a' }] }).match('', '/'), undefined);
  });

  it('lets a service have several routes', () => {
    const two = router({ web: [{ host: 'a' }, { path: '/web' }], rest: [{}] });
    assert.deepEqual([two.match('a', '/'), two.match('b', '/web'), two.match('b', '/')], ['web', 'web', 'rest']);
  });
});
