import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { z } from 'zod';
import { ask } from '../support/e2e-http.ts';
import { StartedProcess } from '../support/e2e-process.ts';
import { sampleService, System } from '../support/e2e-system.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SOURCES = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'cmd', 'internal', 'pkg'];
/** npm's own scripts run with the Node that runs this. */
const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter);
/** Of what is packed, as far as an install is concerned. */
const ManifestSchema = z.object({
  bin: z.object({ heimdall: z.string() }),
  dependencies: z.record(z.string(), z.string()),
  scripts: z.record(z.string(), z.string()),
});

const run = promisify(execFile);

/** @throws when npm fails; `stderr` of the error tells why. */
async function pack(folder: string, destination: string): Promise<string> {
  const args = ['pack', '--pack-destination', destination, '--no-update-notifier'];
  await run('npm', args, { cwd: folder, env: { ...process.env, PATH } });
  const tarball = (await readdir(destination)).find((name) => name.endsWith('.tgz'));
  assert.ok(tarball);
  return join(destination, tarball);
}

/**
 * Lays the package out as `npm install` does, with all that it declares to need and nothing else; what that needs itself
 * is where it was installed. npm would take longer for it than all the rest here does.
 */
async function install(tarball: string, folder: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  const home = join(modules, 'heimdall');
  await mkdir(home, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', home, '--strip-components=1']);
  const manifest = ManifestSchema.parse(JSON.parse(await readFile(join(home, 'package.json'), 'utf8')));
  for (const script of ['preinstall', 'install', 'postinstall']) assert.ok(!(script in manifest.scripts), script);
  await Promise.all(Object.keys(manifest.dependencies).map((name) => link(join(ROOT, 'node_modules', name), name)));
  await chmod(join(home, manifest.bin.heimdall), 0o755);
  await link(join(home, manifest.bin.heimdall), join('.bin', 'heimdall'));

  async function link(target: string, name: string): Promise<void> {
    const place = join(modules, name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(target, place);
  }
}

/** The types are checked by `npm run types`, which takes as long as all else of a build; one thread does less in vain. */
async function buildWithoutChecks(path: string): Promise<void> {
  const { compilerOptions, ...rest } = JSON.parse(await readFile(path, 'utf8'));
  const changes = { noCheck: true, singleThreaded: true };
  await writeFile(path, JSON.stringify({ ...rest, compilerOptions: { ...compilerOptions, ...changes } }));
}

it('runs after npm pack, laid out as npm install does it, and npx heimdall up', async () => {
  const command = ['node', join('node_modules', 'heimdall', 'dist', 'cmd', 'test-server', 'main.js')];
  await using system = await System.create(() => ({ services: [sampleService({ command })] }));
  const copy = join(system.dir, 'copy'); // building in place would get in the way of whoever else builds there
  await mkdir(copy);
  await Promise.all(SOURCES.map((name) => cp(join(ROOT, name), join(copy, name), { recursive: true })));
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  await buildWithoutChecks(join(copy, 'tsconfig.build.json'));

  await install(await pack(copy, system.dir), system.dir);
  const installed = await readdir(join(system.dir, 'node_modules', 'heimdall'));
  assert.deepEqual(installed.filter((name) => !name.endsWith('.md')).sort(), ['dist', 'package.json']);

  const embed = "(await import('heimdall/express')).balance({ service: 'wbe' })";
  const embedding = run(process.execPath, ['--input-type=module', '-e', embed], { cwd: system.dir });
  await assert.rejects(embedding, /no service is called "wbe"; did you mean "web"\?/);

  const call = "(await import('heimdall/client')).createClient({ baseUrl: 'http://127.0.0.1:1' }).status()";
  const calling = run(process.execPath, ['--input-type=module', '-e', `await ${call}`], {
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
