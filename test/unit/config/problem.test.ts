import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError, formatPath, renderValue, valueAt } from '../../../internal/config/problem.ts';

describe('formatPath', () => {
  it('reads like code', () => {
    assert.equal(formatPath(['services', 0, 'healthCheck', 'interval']), 'services[0].healthCheck.interval');
    assert.equal(formatPath(['services', 1, 'env', 'a b']), 'services[1].env["a b"]');
    assert.equal(formatPath([]), '');
  });
});

describe('valueAt', () => {
  it('looks into objects and arrays', () => {
    assert.equal(valueAt({ a: [{ b: 5 }] }, ['a', 0, 'b']), 5);
    assert.equal(valueAt({ a: null }, ['a', 'b']), undefined);
    assert.equal(valueAt('text', ['length']), undefined);
  });
});

describe('renderValue', () => {
  it('is short JSON', () => {
    assert.equal(renderValue('5 sec', ['x']), '"5 sec"');
    assert.equal(renderValue(undefined, ['x']), undefined);
    assert.equal(renderValue('x'.repeat(500), ['x'])?.length, 60);
  });

  it('shows no secrets: neither at the place itself nor further in', () => {
    for (const path of [
      ['manager', 'token'],
      ['HEIMDALL_TOKEN'],
      ['services', 0, 'sticky', 'secret'],
      ['services', 0, 'env', 'DATABASE'],
      ['alerts', 'email', 0, 'auth', 'pass'],
      ['alerts', 'webhooks', 0, 'url'],
      ['alerts', 'webhooks', 0, 'headers', 'X-Key'],
    ]) {
      assert.equal(renderValue('hunter2', path), undefined, formatPath(path));
    }
    assert.equal(renderValue({ port: 1, token: 'hunter2' }, ['manager']), '{"port":1,"token":"[hidden]"}');
  });
});

describe('ConfigError', () => {
  it('lists every problem in its message', () => {
    const error = new ConfigError(
      [
        { path: 'proxy.port', message: 'expected number', value: '"x"', source: 'file' },
        { path: '', message: 'line 1, column 2: expected a value', source: 'file' },
      ],
      '/etc/heimdall.json',
    );
    assert.equal(
      error.message,
      [
        '/etc/heimdall.json has 2 problems:',
        '  proxy.port: expected number (value: "x")',
        '  line 1, column 2: expected a value',
      ].join('\n'),
    );
    assert.equal(error.code, 'CONFIG_INVALID');
  });
});
