import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderCheck } from '../../../internal/config/check.ts';
import type { LoadedConfig } from '../../../internal/config/load.ts';
import { ConfigError } from '../../../internal/config/problem.ts';
import { ConfigSchema } from '../../../internal/config/schema.ts';

const loaded: LoadedConfig = {
  config: ConfigSchema.parse({
    manager: { host: '::1' },
    services: [
      { name: 'web', command: ['x'], instances: 3, servers: ['a:1'] },
      { name: 'api', servers: ['a:1', 'b:1'], algorithm: 'least-time', routes: [{ host: 'x.org', path: '/api' }] },
    ],
  }),
  path: '/srv/config.json',
  overrides: ['MANAGER_PORT'],
};
const problem = { path: 'proxy.port', message: 'expected number', value: '"x"', source: 'file' } as const;

describe('renderCheck', () => {
  it('tells in short what a valid configuration would run', () => {
    const { ok, text } = renderCheck(loaded, 'text');
    assert.equal(ok, true);
    assert.equal(
      text,
      [
        '/srv/config.json is valid.',
        '  manager        [::1]:7000',
        '  load balancer  0.0.0.0:8080, admin 127.0.0.1:8081',
        '  registry       data/registry.db',
        '  ports          9000 to 9999',
        '  service web    3 spawned + 1 declared, round-robin, */',
        '  service api    2 declared, least-time, x.org/api',
        '  alerts         e-mail channels: 0, webhooks: 0, rules: 0',
        '  environment    MANAGER_PORT',
        '',
      ].join('\n'),
    );
  });

  it('counts one instance of a command unless the configuration says otherwise', () => {
    const services = [
      { name: 'one', command: ['x'] },
      { name: 'none', command: ['x'], instances: 0, routes: [{ path: '/none' }] },
    ];
    const { text } = renderCheck({ ...loaded, config: ConfigSchema.parse({ services }) }, 'text');
    assert.match(text, /service one +1 spawned,/);
    assert.match(text, /service none +0 spawned,/);
  });

  it('says when it is the built-in sample, and when there are no services', () => {
    const { text } = renderCheck({ config: ConfigSchema.parse({}), path: null, overrides: [] }, 'text');
    assert.match(text, /^The built-in sample configuration is valid\.\n/);
    assert.match(text, /services +none\n/);
    assert.doesNotMatch(text, /environment/);
  });

  it('warns of what works and is likely not wanted', () => {
    const odd = { ...loaded, config: ConfigSchema.parse({ proxy: { port: 6000 } }) };
    assert.match(
      renderCheck(odd, 'text').text,
      /\n +warning +proxy\.port: browsers and fetch refuse .* \(6000\); other/,
    );
    assert.match(renderCheck(odd, 'json').text, /"warnings": \[\n +\{\n +"path": "proxy\.port"/);
  });

  it('lists the problems of an invalid one', () => {
    const error = new ConfigError([problem], '/srv/config.json');
    assert.deepEqual(renderCheck(error, 'text'), { ok: false, text: `${error.message}\n` });
  });

  it('gives programs the same as JSON', () => {
    assert.deepEqual(JSON.parse(renderCheck(loaded, 'json').text), { ok: true, problems: [], warnings: [] });
    const report = renderCheck(new ConfigError([problem], null), 'json');
    assert.equal(report.ok, false);
    assert.deepEqual(JSON.parse(report.text), { ok: false, problems: [problem], warnings: [] });
  });
});
