import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { overlay } from '../../../internal/config/environment.ts';

const TOKEN = 'a-token-of-enough-length';

describe('overlay', () => {
  it('puts every override in its place', () => {
    const env = { MANAGER_PORT: '7100', LOAD_BALANCER_PORT: '8100', HEIMDALL_TOKEN: TOKEN, LOG_LEVEL: 'DEBUG' };
    const { effective, overrides, problems } = overlay({ manager: { host: '::1', port: 1 } }, env);
    assert.deepEqual(effective, {
      manager: { host: '::1', port: 7100, token: TOKEN },
      proxy: { port: 8100 },
      log: { level: 'debug' },
    });
    assert.deepEqual(overrides, ['MANAGER_PORT', 'LOAD_BALANCER_PORT', 'HEIMDALL_TOKEN', 'LOG_LEVEL']);
    assert.deepEqual(problems, []);
  });

  it('leaves the file alone when nothing is set', () => {
    const file = { manager: { port: 1 } };
    assert.deepEqual(overlay(file, {}).effective, file);
    assert.deepEqual(overlay(file, {}).overrides, []);
  });

  it('moves the port range with BASE_PORT, keeping its width within the ports there are', () => {
    const portsFor = (file: unknown, BASE_PORT: string) => overlay(file, { BASE_PORT }).effective;
    assert.deepEqual(portsFor({}, '20000'), { ports: { from: 20_000, to: 20_999 } });
    assert.deepEqual(portsFor({ ports: { from: 9001, to: 9005 } }, '30000'), { ports: { from: 30_000, to: 30_004 } });
    assert.deepEqual(portsFor({ ports: { to: 9009 } }, '30000'), { ports: { from: 30_000, to: 30_009 } });
    assert.deepEqual(portsFor({}, '65000'), { ports: { from: 65_000, to: 65_535 } });
  });

  it('names the variable whose value is unusable, and hides the token', () => {
    const env = {
      MANAGER_PORT: 'abc',
      BASE_PORT: '0',
      LOAD_BALANCER_PORT: '65536',
      HEIMDALL_TOKEN: 'short',
      LOG_LEVEL: '',
    };
    const { effective, overrides, problems } = overlay({}, env);
    const port = 'expected a port from 1 to 65535';
    assert.deepEqual(problems, [
      { path: 'MANAGER_PORT', message: port, value: '"abc"', source: 'environment' },
      { path: 'BASE_PORT', message: port, value: '"0"', source: 'environment' },
      { path: 'LOAD_BALANCER_PORT', message: port, value: '"65536"', source: 'environment' },
      {
        path: 'HEIMDALL_TOKEN',
        message: 'expected at least 16 visible ASCII characters, without spaces',
        source: 'environment',
      },
      {
        path: 'LOG_LEVEL',
        message: 'expected one of "trace"|"debug"|"info"|"warn"|"error"|"fatal"|"silent"',
        value: '""',
        source: 'environment',
      },
    ]);
    assert.deepEqual([effective, overrides], [{}, []]);
  });

  it('replaces strings that are wholly a placeholder, at any depth, and remembers where', () => {
    const file = { alerts: { webhooks: [{ secret: '${KEY}' }] }, log: { level: 'x-${KEY}' }, n: 5 };
    const { written, effective, origins } = overlay(file, { KEY: 'hunter2' });
    assert.deepEqual(effective, { alerts: { webhooks: [{ secret: 'hunter2' }] }, log: { level: 'x-${KEY}' }, n: 5 });
    assert.deepEqual(written, file);
    assert.deepEqual([...origins], [['alerts.webhooks[0].secret', 'KEY']]);
  });

  it('reports a placeholder whose variable is not set', () => {
    assert.deepEqual(overlay({ services: [{ env: { DB: '${DB_URL}' } }] }, {}).problems, [
      { path: 'services[0].env.DB', message: 'the environment variable DB_URL is not set', source: 'environment' },
    ]);
  });

  it('needs no variable for a placeholder that is overridden, and does not read placeholders in overrides', () => {
    const { effective, problems } = overlay(
      { manager: { token: '${NOWHERE}' } },
      { HEIMDALL_TOKEN: '${ALSO_NOT_A_VARIABLE}' },
    );
    assert.deepEqual(effective, { manager: { token: '${ALSO_NOT_A_VARIABLE}' } });
    assert.deepEqual(problems, []);
  });

  it('keeps a file of the wrong shape as it is, for the schema to judge', () => {
    assert.deepEqual(overlay([], { MANAGER_PORT: '7100' }).effective, []);
    assert.deepEqual(overlay({ manager: 5 }, { MANAGER_PORT: '7100' }).effective, { manager: 5 });
    assert.deepEqual(overlay({ ports: { to: 'x' } }, { BASE_PORT: '7100' }).effective, {
      ports: { from: 7100, to: 'x' },
    });
  });
});
