import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { ask } from '../support/e2e-http.ts';
import { StartedProcess } from '../support/e2e-process.ts';
import { sampleService, System } from '../support/e2e-system.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SOURCES = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'cmd', 'internal', 'pkg'];
/** npm's own scripts run with the Node that runs this. */
const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter);
const NO_NETWORK =
  /npm error (?:code|errno) (?:ENOTFOUND|EAI_AGAIN|E(?:CONN|HOST|NET)\w+|ETIMEDOUT|ERR_SOCKET_TIMEOUT)/;

/** @throws when npm fails; `stderr` of the error tells why. */
async function npm(cwd: string, ...args: readonly string[]): Promise<void> {
  const env = { ...process.env, PATH };
  await promisify(execFile)('npm', [...args, '--no-audit', '--no-fund', '--fetch-retries=0'], { cwd, env });
}

/** The types are checked by `npm run types`, which takes as long as all else of a build. */
async function buildWithoutChecks(path: string): Promise<void> {
  const { compilerOptions, ...rest } = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...rest, compilerOptions: { ...compilerOptions, noCheck: true } }));
}

it('runs after npm pack, an install into an empty folder and npx heimdall up', {
  timeout: 300_000, // npm may have to fetch what it installs
}, async (context) => {
  const command = ['node', join('node_modules', 'heimdall', 'dist', 'cmd', 'test-server', 'main.js')];
  await using system = await System.create(() => ({ services: [sampleService({ command })] }));
  const copy = join(system.dir, 'copy'); // building in place would get in the way of whoever else builds there
  await mkdir(copy);
  await Promise.all(SOURCES.map((name) => cp(join(ROOT, name), join(copy, name), { recursive: true })));
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  await buildWithoutChecks(join(copy, 'tsconfig.build.json'));

  await npm(copy, 'pack', '--pack-destination', system.dir);
  const tarball = (await readdir(system.dir)).find((name) => name.endsWith('.tgz'));
  try {
    await npm(system.dir, 'install', '--prefix', system.dir, '--prefer-offline', `./${tarball}`); // not into a folder above that has node_modules
  } catch (error) {
    if (!NO_NETWORK.test(String(error))) throw error;
    return context.skip('npm cannot reach its registry, which the install of the dependencies needs');
  }
  const installed = await readdir(join(system.dir, 'node_modules', 'heimdall'));
  assert.deepEqual(installed.filter((name) => !name.endsWith('.md')).sort(), ['dist', 'package.json']);

  const embed = "(await import('heimdall/express')).balance({ service: 'wbe' })";
  const embedding = promisify(execFile)(process.execPath, ['--input-type=module', '-e', embed], { cwd: system.dir });
  await assert.rejects(embedding, /no service is called "wbe"; did you mean "web"\?/);

  const call = "(await import('heimdall/client')).createClient({ baseUrl: 'http://127.0.0.1:1' }).status()";
  const calling = promisify(execFile)(process.execPath, ['--input-type=module', '-e', `await ${call}`], {
    cwd: system.dir,
  });
  await assert.rejects(calling, /nobody answers on http/);

  const up = system.track(new StartedProcess(['npx', 'heimdall', 'up'], { cwd: system.dir, env: { PATH } }));
  await up.printed('Ctrl-C drains and stops everything.');
  await system.inRotation(2);
  assert.match(await system.answering(), /^web-/);
  const { status, headers } = await ask(`${system.api}/`, { headers: { Accept: 'text/html' } });
  assert.deepEqual(
    [status, headers['content-type']],
    [200, 'text/html; charset=utf-8'],
    'the dashboard is in the package',
  );

  up.killGroup('SIGINT');
  await up.exited;
  assert.deepEqual(await system.remains(), []);
});
