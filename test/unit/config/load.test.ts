import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type LoadOptions, loadConfig } from '../../../internal/config/load.ts';
import { ConfigError, type ConfigProblem } from '../../../internal/config/problem.ts';

const TOKEN = 'a-token-of-enough-length';
const web = { name: 'web', command: ['node', 'app.js'] };

let cwd: string;
before(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'heimdall-config-'));
  await mkdir(join(cwd, 'empty'));
});
after(() => rm(cwd, { recursive: true }));

/** Loads `content` as config.json; an object is written as JSON. */
async function load(content: unknown, env: NodeJS.ProcessEnv = {}, path?: string) {
  await writeFile(join(cwd, 'config.json'), typeof content === 'string' ? content : JSON.stringify(content));
  return loadConfig({ cwd, env, path });
}

async function refusal(loading: Promise<unknown>): Promise<ConfigError> {
  const error = await loading.then(
    () => assert.fail('expected a ConfigError'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ConfigError, String(error));
  return error;
}

async function problems(content: unknown, env: NodeJS.ProcessEnv = {}): Promise<readonly ConfigProblem[]> {
  return (await refusal(load(content, env))).problems;
}

describe('loadConfig: where the configuration comes from', () => {
  it('reads ./config.json and makes its paths absolute', async () => {
    const { config, path, overrides } = await load({
      services: [web, { ...web, name: 'b', cwd: 'b', routes: [{ path: '/b' }] }],
    });
    assert.equal(path, join(cwd, 'config.json'));
    assert.equal(config.registry.path, join(cwd, 'data', 'registry.db'));
    assert.deepEqual(
      config.services.map((service) => service.cwd),
      [cwd, join(cwd, 'b')],
    );
    assert.deepEqual(overrides, []);
  });

  it('prefers the given path to HEIMDALL_CONFIG, and that to ./config.json', async () => {
    await mkdir(join(cwd, 'etc'));
    await writeFile(join(cwd, 'etc', 'given.json'), '{"manager": {"port": 7001}}');
    await writeFile(join(cwd, 'etc', 'named.json'), '{"manager": {"port": 7002}}');
    const env = { HEIMDALL_CONFIG: 'etc/named.json' };
    const given = await load({}, env, 'etc/given.json');
    assert.deepEqual([given.config.manager.port, given.overrides], [7001, []]);
    assert.equal(given.config.registry.path, join(cwd, 'etc', 'data', 'registry.db'));
    const named = await load({}, env);
    assert.deepEqual([named.config.manager.port, named.overrides], [7002, ['HEIMDALL_CONFIG']]);
  });

  it('takes a HEIMDALL_CONFIG that is set to nothing for none', async () => {
    const { config, overrides } = await load({ manager: { port: 7003 } }, { HEIMDALL_CONFIG: '' });
    assert.deepEqual([config.manager.port, overrides], [7003, []]);
  });

  it('falls back to the built-in sample, which the environment can change', async () => {
    const options: LoadOptions = {
      cwd: join(cwd, 'empty'),
      env: { BASE_PORT: '20001' },
      sampleBackend: '/opt/sample.js',
    };
    const { config, path } = await loadConfig(options);
    assert.equal(path, null);
    assert.deepEqual(config.services[0]?.command, ['node', '/opt/sample.js']);
    assert.equal(config.registry.path, join(cwd, 'empty', 'data', 'registry.db'));
    assert.equal(config.ports.from, 20_001);
  });

  it('refuses a missing file when one was named, or when there is no sample', async () => {
    const empty = { cwd: join(cwd, 'empty'), env: {} };
    const named = await refusal(loadConfig({ ...empty, path: 'nowhere.json', sampleBackend: '/opt/sample.js' }));
    const value = JSON.stringify(join(cwd, 'empty', 'nowhere.json'));
    assert.deepEqual(named.problems, [{ path: '', message: 'the file does not exist', value, source: 'file' }]);
    assert.match(named.message, /nowhere\.json has 1 problem:\n {2}the file does not exist$/);

    const variable = await refusal(loadConfig({ ...empty, env: { HEIMDALL_CONFIG: 'nowhere.json' } }));
    assert.deepEqual(variable.problems, [
      { path: 'HEIMDALL_CONFIG', message: 'the file does not exist', value, source: 'environment' },
    ]);
    assert.equal((await refusal(loadConfig(empty))).problems[0]?.message, 'the file does not exist');
  });

  it('refuses a folder in place of the file', async () => {
    assert.equal((await refusal(load({}, {}, 'empty'))).problems[0]?.message, 'is a folder, not a file');
  });

  it('tells line and column of a syntax error, along with bad variables', async () => {
    assert.deepEqual(await problems('{\n  "manager": {},\n}', { MANAGER_PORT: 'x' }), [
      {
        path: '',
        source: 'file',
        message: 'line 3, column 1: expected a key in double quotes (JSON allows no comma before a closing bracket)',
      },
      { path: 'MANAGER_PORT', message: 'expected a port from 1 to 65535', value: '"x"', source: 'environment' },
    ]);
  });
});

/** Every kind of mistake, and the place where it must be reported. */
const MISTAKES: readonly [config: unknown, path: string, message: RegExp][] = [
  [[], '', /expected object, received array/],
  [{ maneger: {} }, 'maneger', /unknown key "maneger"; did you mean "manager"\?/],
  [{ proxy: { threads: 0 } }, 'proxy.threads', /whole number from 1 to 64/],
  [{ proxy: { engine: 'fast' } }, 'proxy.engine', /"wire"\|"middleware"/],
  [{ proxy: { engine: 'middleware', acceptProxyProtocol: true } }, 'proxy.acceptProxyProtocol', /engine "wire"/],
  [{ manager: null }, 'manager', /expected object, received null/],
  [{ manager: { host: 'a:80' } }, 'manager.host', /host name, without a port/],
  [{ manager: { host: '0.0.0.0' } }, 'manager.host', /can run commands/],
  [{ manager: { port: 0 } }, 'manager.port', /whole number from 1 to 65535/],
  [{ manager: { port: '7000' } }, 'manager.port', /whole number from 1 to 65535/],
  [{ manager: { token: 'short' } }, 'manager.token', /at least 16/],
  [{ manager: { allowedHosts: ['a:80'] } }, 'manager.allowedHosts[0]', /host name/],
  [{ proxy: { port: 7000 } }, 'proxy.port', /taken by manager\.port/],
  [{ proxy: { admin: { host: '0.0.0.0' } } }, 'proxy.admin.host', /manager\.token/],
  [{ proxy: { timeouts: { connect: '3 seconds' } } }, 'proxy.timeouts.connect', /expected a duration/],
  [{ proxy: { timeouts: { connect: '0s' } } }, 'proxy.timeouts.connect', /expected a duration/],
  [{ proxy: { timeouts: { connect: '30d' } } }, 'proxy.timeouts.connect', /at most 24 days/],
  [{ proxy: { timeouts: { connect: 3 } } }, 'proxy.timeouts.connect', /expected a duration such as "500ms"/],
  [{ proxy: { limits: { head: '16 kilo' } } }, 'proxy.limits.head', /expected a size/],
  [{ proxy: { limits: { head: 16_384 } } }, 'proxy.limits.head', /expected a size such as "64kb"/],
  [{ proxy: { limits: { head: '257kb' } } }, 'proxy.limits.head', /at most "256kb"/],
  [{ proxy: { trustedProxies: ['10.0.0.0/40'] } }, 'proxy.trustedProxies[0]', /IP address or a range/],
  [{ proxy: { retries: { attempts: 11 } } }, 'proxy.retries.attempts', /whole number from 0 to 10/],
  [{ proxy: { retries: { budget: 1.5 } } }, 'proxy.retries.budget', /<=1/],
  [{ registry: { driver: 'mysql' } }, 'registry.driver', /"sqlite"/],
  [{ ports: { from: 9001, to: 9000 } }, 'ports.from', /above ports\.to/],
  [{ alerts: { dailySummary: { cron: '99 * * * *' } } }, 'alerts.dailySummary.cron', /cron expression/],
  [{ alerts: { webhooks: [{ url: 'ftp://x' }] } }, 'alerts.webhooks[0].url', /http/],
  [{ events: { prune: 'daily' } }, 'events.prune', /cron expression/],
  [{ events: { keepDays: 0.5 } }, 'events.keepDays', /whole number from 1 to 3650/],
  [{ log: { level: 'loud' } }, 'log.level', /"info"/],
  [{ services: [{ ...web, name: 'Web' }] }, 'services[0].name', /lower-case/],
  [{ services: [{ ...web, healthCheck: { interval: '5 sec' } }] }, 'services[0].healthCheck.interval', /duration/],
  [{ services: [{ ...web, healthCheck: { path: '/a b' } }] }, 'services[0].healthCheck.path', /without spaces/],
  [{ services: [{ ...web, env: { A: 'x\0y' } }] }, 'services[0].env.A', /NUL/],
  [{ services: [{ ...web, healthCheck: { intervall: '5s' } }] }, 'services[0].healthCheck.intervall', /"interval"\?/],
  [{ services: [{ ...web, healthCheck: { expect: ['2xx'] } }] }, 'services[0].healthCheck.expect[0]', /status range/],
  [{ services: [{ ...web, healthCheck: { bodyPattern: '(' } }] }, 'services[0].healthCheck.bodyPattern', /group/],
  [
    { services: [{ ...web, healthCheck: { headers: { Host: 'a' } } }] },
    'services[0].healthCheck.headers.Host',
    /"host"/,
  ],
  [
    { services: [{ ...web, healthCheck: { headers: { A: 'b\nc' } } }] },
    'services[0].healthCheck.headers.A',
    /one line/,
  ],
  [{ services: [{ ...web, algorithm: 'random' }] }, 'services[0].algorithm', /"round-robin"/],
  [{ services: [{ ...web, servers: ['10.0.0.7'] }] }, 'services[0].servers[0]', /host:port/],
  [{ services: [{ ...web, servers: [{ address: 'a:1', wieght: 2 }] }] }, 'services[0].servers[0].wieght', /"weight"\?/],
  [{ services: [{ ...web, env: { 'a b': 'x' } }] }, 'services[0].env["a b"]', /variable name/],
  [{ services: [{ name: 'web' }] }, 'services[0]', /needs a command/],
];

describe('loadConfig: what is wrong, and where', () => {
  for (const [config, path, message] of MISTAKES) {
    it(`refuses ${JSON.stringify(config)}`, async () => {
      const found = await problems(config);
      assert.deepEqual(
        found.map((problem) => problem.path),
        [path],
      );
      assert.match(found[0]?.message ?? '', message);
      assert.equal(found[0]?.source, 'file');
    });
  }

  it('reports everything at once: the environment, every section, and what only shows between them', async () => {
    const config = {
      proxy: { port: 7000, limits: { fields: 0 } },
      ports: { from: 9005, to: 9001 },
      log: { level: 'loud' },
      services: [web, { name: 'web', instances: 1 }, { name: 'Bad' }],
    };
    const found = await problems(config, { LOG_LEVEL: 'louder' });
    assert.deepEqual(
      found.map(({ path }) => path),
      [
        'LOG_LEVEL',
        'proxy.limits.fields',
        'services[2].name',
        'log.level',
        'ports.from',
        'services[1].instances',
        'services[1].name',
        'services[1].routes[0]',
      ],
    );
  });

  it('does not let an unknown key hide what is wrong between sections', async () => {
    const found = await problems({ manager: { port: 8080, foo: 1 }, services: [{ ...web, bar: 1 }, web] });
    const paths = found.map(({ path }) => path);
    assert.deepEqual(
      ['manager.foo', 'services[0].bar', 'proxy.port', 'services[1].name'].filter((path) => !paths.includes(path)),
      [],
      `only ${paths.join(', ')} are told`,
    );
  });

  it('shows the offending value, but no secret', async () => {
    assert.equal((await problems({ log: { level: 'loud' } }))[0]?.value, '"loud"');
    const error = await refusal(
      load({
        manager: { token: 'hunter2' },
        proxy: { tokne: 'hunter2' },
        services: [{ ...web, env: { A: ['hunter2'] }, sticky: { secret: 'hunter2' } }],
        alerts: { webhooks: [{ url: 'hunter2' }] },
      }),
    );
    assert.equal(error.problems.length, 5);
    assert.doesNotMatch(JSON.stringify(error.problems) + error.message, /hunter2/);
  });
});

describe('loadConfig: the environment', () => {
  it('lets variables override the file and says which', async () => {
    const env = {
      MANAGER_PORT: '7100',
      BASE_PORT: '20000',
      LOAD_BALANCER_PORT: '8100',
      HEIMDALL_TOKEN: TOKEN,
      LOG_LEVEL: 'warn',
    };
    const { config, overrides } = await load({ manager: { port: 1, host: '0.0.0.0' } }, env);
    assert.deepEqual([config.manager.port, config.manager.token], [7100, TOKEN]);
    assert.deepEqual(config.ports, { from: 20_000, to: 20_999 });
    assert.equal(config.proxy.port, 8100);
    assert.equal(config.log.level, 'warn');
    assert.deepEqual(overrides, ['MANAGER_PORT', 'BASE_PORT', 'LOAD_BALANCER_PORT', 'HEIMDALL_TOKEN', 'LOG_LEVEL']);
  });

  it('blames the variable for a conflict that it caused', async () => {
    assert.deepEqual(await problems({}, { LOAD_BALANCER_PORT: '7000' }), [
      {
        path: 'proxy.port',
        message: 'port 7000 is taken by manager.port already (the value comes from LOAD_BALANCER_PORT)',
        value: '7000',
        source: 'environment',
      },
    ]);
  });

  it('replaces placeholders', async () => {
    const { config } = await load({ manager: { token: '${MY_TOKEN}' } }, { MY_TOKEN: TOKEN });
    assert.equal(config.manager.token, TOKEN);
  });

  it('reports an unset variable once, at the place that names it', async () => {
    assert.deepEqual(await problems({ manager: { token: '${T}' } }), [
      { path: 'manager.token', message: 'the environment variable T is not set', source: 'environment' },
    ]);
  });

  it('shows the placeholder, never the value behind it', async () => {
    assert.deepEqual(await problems({ log: { level: '${LEVEL}' } }, { LEVEL: 'hunter2' }), [
      {
        path: 'log.level',
        message: 'expected one of "trace"|"debug"|"info"|"warn"|"error"|"fatal"|"silent" (the value comes from LEVEL)',
        value: '"${LEVEL}"',
        source: 'environment',
      },
    ]);
  });
});
