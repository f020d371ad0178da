import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasCode } from '../../../internal/model/errors.ts';
import { declaredInstances, type Instance } from '../../../internal/model/instance.ts';
import { assertAllowedEnv, launchPlan } from '../../../internal/server/launch-plan.ts';
import { service } from '../../support/server-fixture.ts';

const [template] = declaredInstances(service({ servers: ['127.0.0.1:9001'] }));

function instance(overrides: Partial<Instance> = {}): Instance {
  assert.ok(template);
  return { ...template, id: 'web-9001-abc', ...overrides };
}

describe('launchPlan', () => {
  it('puts the port into the command and into variables', () => {
    const web = service({ command: ['run-{port}', '-p', '{port}:{port}'], env: { A: 'x{port}' }, cwd: '/srv' });
    const plan = launchPlan(instance({ env: { B: '{port}' } }), web, 'secret', {}, '/node/bin');
    assert.equal(plan.file, 'run-9001');
    assert.deepEqual(plan.args, ['-p', '9001:9001']);
    assert.equal(plan.cwd, '/srv');
    assert.deepEqual(plan.env, {
      PATH: '/node/bin',
      HOST: '127.0.0.1',
      A: 'x9001',
      B: '9001',
      PORT: '9001',
      HEIMDALL_INSTANCE: 'web-9001-abc',
      HEIMDALL_SERVICE: 'web',
      HEIMDALL_INSTANCE_TOKEN: 'secret',
    });
  });

  it('tells where to listen, unless the service knows better', () => {
    const there = instance({ host: '10.0.0.5' });
    const web = service({ command: ['run', '{host}:{port}'] });
    const plan = launchPlan(there, web, 't', {}, '/node/bin');
    assert.deepEqual([plan.env['HOST'], plan.args], ['10.0.0.5', ['10.0.0.5:9001']]);
    const everywhere = service({ env: { HOST: '0.0.0.0' } });
    assert.equal(launchPlan(there, everywhere, 't', {}, '/node/bin').env['HOST'], '0.0.0.0');
  });

  it('passes on PATH behind the folder of this Node, HOME and LANG, and nothing else', () => {
    const base = { PATH: '/usr/bin', HOME: '/home/a', LANG: 'C', AWS_SECRET: 'x' };
    const { env } = launchPlan(instance(), service(), 't', base, '/node/bin');
    assert.equal(env['PATH'], '/node/bin:/usr/bin');
    assert.equal(env['HOME'], '/home/a');
    assert.equal(env['LANG'], 'C');
    assert.equal(env['AWS_SECRET'], undefined);
  });

  it('lets the instance override the service, and heimdall both', () => {
    const web = service({ env: { A: 'service', B: 'service', PORT: '1', VERSION: '1' } });
    const { env } = launchPlan(instance({ env: { B: 'instance' }, version: 'v2' }), web, 't', {}, '/node/bin');
    assert.deepEqual([env['A'], env['B'], env['PORT'], env['VERSION']], ['service', 'instance', '9001', 'v2']);
  });

  it('refuses a service without a command', () => {
    const web = service({ command: undefined });
    assert.throws(
      () => launchPlan(instance(), web, 't', {}, '/'),
      (error) => hasCode(error, 'COMMAND_FAILED'),
    );
  });
});

describe('assertAllowedEnv', () => {
  // A caller of the API sends {"env": {"NODE_OPTIONS": "--import=/tmp/evil.mjs"}}:
  // the declared command then runs code that nobody declared.
  it('names every variable that a caller may not set', () => {
    const env = {
      NODE_OPTIONS: 'x',
      LD_PRELOAD: 'x',
      npm_config_script_shell: 'x',
      PYTHONPATH: 'x',
      NODE_ENV: 'test',
      COLOUR: 'red',
    };
    assert.throws(
      () => assertAllowedEnv(env),
      (error) =>
        hasCode(error, 'INVALID_REQUEST') &&
        error.message.includes('NODE_OPTIONS, LD_PRELOAD, npm_config_script_shell, PYTHONPATH:'),
    );
  });

  it('lets ordinary variables pass', () => {
    assertAllowedEnv({
      NODE_ENV: 'test',
      SERVER_NAME: 'a',
      PORTAL: 'x',
      ENVIRONMENT: 'x',
      DATABASE_URL: 'x',
      PYTHONUNBUFFERED: '1',
    });
  });
});
