import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { CommandShell } from '../support/command-shell.ts';
import { COMPILE_CACHE, mainOf } from '../support/e2e-process.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

const Instances = z.array(z.object({ id: z.string(), port: z.int(), status: z.string(), weight: z.int() }));
const Deployment = z.object({ id: z.int(), state: z.string(), by: z.string(), steps: z.array(z.object({})) });
const Named = z.array(z.object({ name: z.string() }));

const HAS_SCRIPT = spawnSync('script', ['--version']).status === 0;

/** Starts in a third of the time that the sample backend takes. */
const APP = `require('node:http').createServer((_, response) => response.end('ok'))
  .listen(process.env.PORT, () => console.log('listening (pid ' + process.pid + ')'))`;

function config() {
  const versions = {
    v2: {},
    bad: { command: ['node', '-e', 'console.error("no database"); process.exit(3)'] },
    slow: { command: ['node', '-e', 'setInterval(() => {}, 1000)'] },
  };
  return {
    proxy: { threads: 1 },
    services: [
      sampleService({ command: ['node', '-e', APP], versions, instances: 1, rollout: { minHealthy: '100ms' } }),
    ],
  };
}

describe('the command line, on a running system', () => {
  let system: System;
  let shell: CommandShell;

  before(async () => {
    system = await System.create(config);
    await system.startBoth(1);
    shell = new CommandShell(system.dir);
  });
  after(async () => {
    await shell[Symbol.asyncDispose]();
    await system[Symbol.asyncDispose]();
  });

  it('lists, shows, adds, weighs, restarts and removes instances', async () => {
    const instances = await shell.json(Instances, 'servers', 'list', '--service', 'web');
    assert.equal(instances.length, 1);
    const port = String(instances[0]?.port);
    const shown = await shell.run('servers', 'get', port);
    assert.match(shown.stdout, /^status +● running$/m);
    assert.doesNotMatch(shown.stdout, /\x1b/); // oxlint-disable-line no-control-regex -- no terminal, no colours

    const added = await shell.run('servers', 'add', 'web', '--weight', '2', '--env', 'A=b');
    assert.deepEqual([added.code, added.stderr], [0, 'starting an instance of web\n'], added.stderr);
    const [, own = '', id = ''] = /^(\d+) +(web-\S+) .* ● running/m.exec(added.stdout) ?? [];
    assert.match((await shell.run('servers')).stdout, new RegExp(`^${own} +${id} .* 2 +\\d+ `, 'm'));

    assert.equal((await shell.run('servers', 'weight', own, '5')).stdout, `${id} has the weight 5 now\n`);
    const [successor] = await shell.json(Instances, 'servers', 'restart', id);
    assert.deepEqual([successor?.status, successor?.weight], ['running', 5]);
    const removed = await shell.run('servers', 'remove', String(successor?.port));
    assert.equal(removed.stdout, `${successor?.id} (port ${successor?.port}) is gone\n`);
    assert.match(removed.stderr, new RegExp(`^draining ${successor?.id}$`, 'm'));

    const unknown = await shell.run('servers', 'remove', '1');
    assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
    assert.match(unknown.stderr, /^heimdall: no instance has the id or port "1"; heimdall servers list/);
  });

  it('shows, scales, sets, pauses and resumes services', async () => {
    assert.deepEqual(await shell.json(Named, 'services', 'list'), [{ name: 'web' }]);
    assert.match((await shell.run('services')).stdout, /^web +● running +1\/1 /m);
    assert.match(
      (await shell.run('services', 'set', 'web', '--algorithm', 'least-time')).stdout,
      /^by hand +algorithm$/m,
    );
    assert.match((await shell.run('services', 'set', 'web', '--algorithm', 'default')).stdout, /^by hand +-$/m);
    const unknown = await shell.run('services', 'set', 'web', '--weight', '0', '--json');
    const told: unknown = JSON.parse(unknown.stderr);
    assert.deepEqual(
      [unknown.code, unknown.stdout, told],
      [2, '', { error: '--weight: expected a whole number from 1 to 1000, not "0"', exitCode: 2 }],
    );
    assert.match((await shell.run('services', 'pause', 'web')).stdout, /^web is paused: .*services resume web\n$/);
    assert.match((await shell.run('services', 'get', 'web')).stdout, /^state +◐ paused$/m);
    assert.match((await shell.run('services', 'resume', 'web')).stdout, /^web goes on/);
    assert.match((await shell.run('services', 'scale', 'web', '1', '--json')).stdout, /"desired": 1,/);
  });

  it('deploys with every step, and fails when the deployment goes back', async () => {
    const done = await shell.run('deploy', 'web', '--version', 'v2');
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /^● deploy 1 of web \(version v2\) succeeded after /);
    assert.match(done.stderr, /^deploy 1 of web\n(?: +\w+s {2}.*\n)+$/);

    const back = await shell.run('deploy', 'web', '--version', 'bad');
    assert.equal(back.code, 1);
    assert.match(back.stdout, /^✖ deploy 2 of web \(version bad\) was rolled back, .*exited with code 3/);
    assert.match(back.stderr, /\n +\| no database\n/);

    const found = await shell.json(Deployment, 'deployments', 'get', '2', '--follow').catch((error: unknown) => error);
    assert.match(String(found), /exit code 1/);
    assert.match(
      (await shell.run('deployments')).stdout,
      /^ +2 +web +deploy +✖ rolled-back [^]*^ +1 +web +deploy +● succeeded/m,
    );
    assert.match((await shell.run('deployments', 'get', '1')).stdout, /^ +\w+s {2}/m);

    const restarted = await shell.json(Deployment, 'services', 'restart', 'web');
    assert.deepEqual([restarted.id, restarted.state, restarted.steps.length > 0], [3, 'succeeded', true]);
    assert.notEqual(restarted.by, 'api');
    assert.match((await shell.run('deploy', 'nothing')).stderr, /^heimdall: there is no service nothing/);
  });

  it('says what goes on when Ctrl-C ends a wait; a rollback gives it up', async () => {
    const deploy = system.heimdall('deploy', 'web', '--version', 'slow');
    await deploy.printed(/is started on port/);
    deploy.kill('SIGINT');
    assert.deepEqual(await deploy.exited, { code: 130, signal: null });
    assert.match(
      deploy.output,
      /^heimdall: the deploy goes on without us; follow it with: heimdall deployments get 4 --follow$/m,
    );
    const given = await shell.run('services', 'rollback', 'web');
    assert.equal(given.code, 0, given.stderr);
    assert.match(given.stdout, /^● deploy 4 of web .* was rolled back/);
  });

  it('shows logs, and follows those of instances that come', async () => {
    const [first] = await shell.json(Instances, 'servers', 'list');
    assert.match(
      (await shell.run('logs', String(first?.port), '--stream', 'out', '--lines', '1')).stdout,
      /^listening .*\n$/,
    );
    const Lines = z.array(
      z.object({ instance: z.literal(first?.id ?? ''), stream: z.enum(['out', 'err']), text: z.string() }),
    );
    assert.ok((await shell.json(Lines, 'logs', 'web')).length > 0);

    const following = system.heimdall('logs', '-f', 'web');
    await following.printed(`${first?.id} | listening`);
    const [added] = await shell.json(Instances, 'servers', 'add');
    await following.printed(`${added?.id} | listening`);
    assert.equal((await shell.run('servers', 'remove', added?.id ?? '', '--force')).code, 0); // nobody there to be asked
    await following.printed(`heimdall: ${added?.id} is gone`);
    following.kill('SIGINT');
    assert.deepEqual(await following.exited, { code: 130, signal: null });
    assert.match(
      (await shell.run('logs', '-f', added?.id ?? '')).stdout,
      /^listening /,
      'what is kept of one that is gone',
    );
  });

  it('tells events, and goes on with those that come', async () => {
    const Events = z.array(z.object({ id: z.int(), type: z.string() }));
    const found = await shell.json(Events, 'events', '--limit', '3');
    assert.deepEqual(
      found.map(({ id }) => id),
      found.map(({ id }) => id).toSorted((a, b) => a - b),
    );
    const audit = await shell.json(Events, 'events', '--type', 'audit', '--actor', userInfo().username);
    assert.ok(audit.length > 0 && audit.every(({ type }) => type === 'audit'));
    const following = system.heimdall('events', '-f', '--limit', '1');
    await following.printed(/^\S.*\n/);
    await shell.run('services', 'pause', 'web');
    await following.printed(/ service\.paused +web /);
    await shell.run('services', 'resume', 'web');
    following.kill('SIGINT');
    assert.equal((await following.exited).code, 130);
  });

  it('deals with alerts', async () => {
    assert.match((await shell.run('alerts', '--all')).stdout, /deployment 2 of web/);
    const Alerts = z.array(z.object({ id: z.string(), state: z.string() }));
    const [active] = await shell.json(Alerts, 'alerts', 'list');
    const acknowledged = await shell.run('alerts', 'ack', active?.id ?? '', '--comment', 'known');
    assert.match(acknowledged.stdout, /acknowledged by \S+: known$/m);
    assert.match(
      (await shell.run('alerts', 'silence', '--service', 'web', '--for', '2h')).stdout,
      /^ +1 +service web /m,
    );
    assert.match((await shell.run('alerts', 'silence', '--for', '2h')).stderr, /say which alerts: --key/);
    assert.match((await shell.run('alerts', 'silences')).stdout, /^ +1 +service web /m);
    assert.equal((await shell.run('alerts', 'unsilence', '1')).stdout, 'silence 1 has ended\n');
    assert.equal((await shell.run('alerts', 'silences')).stdout, 'no silences are in force\n');
    const refused = await shell.run('alerts', 'channels', 'add', 'ops', 'http://127.0.0.1:1/');
    assert.deepEqual([refused.code, /webhook\.url: .* private/.test(refused.stderr)], [1, true], refused.stderr);
    assert.match((await shell.run('alerts', 'channels')).stdout, /^no channels/);
    assert.match((await shell.run('alerts', 'channels', 'remove', 'ops')).stderr, /"?ops"?/);
    assert.deepEqual(await shell.json(z.array(z.unknown()), 'alerts', 'rules'), []);
    const trial = await shell.run('alerts', 'test');
    assert.deepEqual([trial.code, /No alert channel/.test(trial.stderr)], [1, true]);
  });

  it('shows everything once where no terminal is, and live on one, which it leaves as it was', {
    skip: !HAS_SCRIPT,
  }, async () => {
    assert.match((await shell.run('top')).stdout, /^web +● running +1\/1 [^]*^web-\d+-\S+ +● running +● healthy /m);
    const State = z.object({ services: Named, instances: Instances });
    assert.equal((await shell.json(State, 'top')).instances.length, 1);

    const command = `${process.execPath} ${mainOf('heimdall')} top`;
    const top = spawn('script', ['-qefc', command, '/dev/null'], {
      cwd: system.dir,
      env: { PATH: process.env['PATH'], HOME: system.dir, TERM: 'xterm', SHELL: '/bin/sh', ...COMPILE_CACHE },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let seen = '';
    const keys = new Map([
      ['by service', 'c'],
      ['by cpu', 'q'],
    ]);
    top.stdout.on('data', (piece: Buffer) => {
      seen += piece.toString();
      for (const [sight, key] of keys) {
        if (!seen.includes(sight)) continue;
        keys.delete(sight);
        top.stdin.write(key);
      }
    });
    await eventually('it has ended', () => top.exitCode !== null);
    assert.equal(top.exitCode, 0);
    assert.ok(
      seen.startsWith('\x1b[?1049h') && seen.endsWith('\x1b[?7h\x1b[?25h\x1b[?1049l'),
      JSON.stringify(seen.slice(-80)),
    );
  });

  it('exits with 2 for wrong usage, and with 3 when nobody answers', async () => {
    const wrong = system.heimdall('services', 'scale', 'web', '--json');
    assert.equal((await wrong.exited).code, 2);
    assert.deepEqual(JSON.parse(wrong.output), { error: "missing required argument 'instances'", exitCode: 2 });
    const { own } = system.ports;
    const dead = await shell.run('servers', '--manager', `http://127.0.0.1:${own[0]}`);
    assert.equal(dead.code, 3);
    assert.match(
      dead.stderr,
      /^heimdall: nobody answers on http:\/\/127\.0\.0\.1:\d+ \(.*ECONNREFUSED.*\); is heimdall running/,
    );
  });
});
