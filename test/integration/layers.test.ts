import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

/** One violation of the layer table per row: the file it is planted in, and the statement. */
const FORBIDDEN: readonly (readonly [file: string, statement: string])[] = [
  ['pkg/alerts/planted.ts', "import '../../internal/model/errors.ts';"],
  ['internal/proxy/metrics/planted.ts', "import 'prom-client';"],
  ['internal/proxy/tracing/planted.ts', "import '@opentelemetry/sdk-trace';"],
  ['pkg/metrics/planted.ts', "import '@opentelemetry/api';"],
  ['pkg/tracing/planted.ts', "import '../../internal/proxy/engine.ts';"],
  ['pkg/logger/planted.ts', "import '../../cmd/runtime/run-process.ts';"],
  ['pkg/http-guard/planted.ts', "import '../../internal/api/app.ts';"],
  ['internal/model/planted.ts', "import 'node:fs';"],
  ['internal/model/planted.ts', "import '../registry/registry.ts';"],
  ['internal/model/planted.ts', "import '../../pkg/logger/logger.ts';"],
  ['internal/config/planted.ts', "import '../registry/registry.ts';"],
  ['internal/registry/planted.ts', "import '../server/server-manager.ts';"],
  ['internal/registry/sqlite/planted.ts', "import '../../health/probe.ts';"],
  ['internal/registry/planted.ts', "import 'better-sqlite3';"],
  ['internal/algorithms/planted.ts', "import 'node:crypto';"],
  ['internal/algorithms/planted.ts', "import '../proxy/pool.ts';"],
  ['internal/health/planted.ts', "import '../registry/registry.ts';"],
  ['internal/server/planted.ts', "import '../api/app.ts';"],
  ['internal/server/planted.ts', "import '../proxy/pool.ts';"],
  ['internal/server/planted.ts', "import '../config/schema.ts';"],
  ['internal/api/planted.ts', "import '../proxy/pool.ts';"],
  ['internal/api/planted.ts', "import '../health/probe.ts';"],
  ['internal/proxy/planted.ts', "import '../server/server-manager.ts';"],
  ['internal/proxy/planted.ts', "import '../config/schema.ts';"],
  ['internal/proxy/planted.ts', "import 'express';"],
  ['internal/proxy/planted.ts', "import 'http-proxy-middleware';"],
  ['internal/proxy/middleware/planted.ts', "import '../../api/app.ts';"],
  ['internal/simulation/planted.ts', "import '../config/schema.ts';"],
  ['internal/simulation/planted.ts', "import 'node:fs';"],
  ['internal/proxy/planted.ts', "import '../simulation/backend.ts';"],
  ['internal/server/planted.ts', "import '../../cmd/runtime/run-process.ts';"],
  ['internal/server/planted.ts', "import 'express';"],
  ['internal/sync/planted.ts', "import '../proxy/pool.ts';"],
  ['internal/sync/planted.ts', "import '../config/schema.ts';"],
  ['internal/proxy/planted.ts', "import '../sync/front.ts';"],
  ['internal/dashboard/planted.ts', "import '../server/server-manager.ts';"],
  ['internal/dashboard/planted.ts', "import '../../pkg/logger/logger.ts';"],
  ['internal/dashboard/planted.ts', "import 'node:fs';"],
  ['internal/dashboard/live/planted.ts', "import 'zod';"],
  ['internal/server/planted.ts', 'export const home = process.env.HOME;'],
  ['pkg/alerts/planted.ts', 'export const end = () => process.exit(1);'],
];

const ALLOWED: readonly (readonly [file: string, statement: string])[] = [
  ['internal/model/planted.ts', "import 'zod';"],
  ['internal/server/planted.ts', "import '../health/probe.ts';"],
  ['internal/api/planted.ts', "import 'express';"],
  ['internal/sync/planted.ts', "import '../health/monitor.ts';"],
  ['internal/sync/planted.ts', "import '../registry/registry.ts';"],
  ['pkg/metrics/planted.ts', "import 'prom-client';"],
  ['pkg/tracing/planted.ts', "import '@opentelemetry/sdk-trace';"],
  ['internal/proxy/middleware/planted.ts', "import 'http-proxy-middleware';"],
  ['internal/registry/sqlite/planted.ts', "import 'better-sqlite3';"],
  ['internal/proxy/planted.ts', "import '../algorithms/balancer.ts';"],
  ['internal/simulation/planted.ts', "import '../proxy/fleet.ts';"],
  ['internal/dashboard/planted.ts', "import '../client/client.ts';"],
  ['internal/dashboard/live/planted.ts', "import '../../model/live.ts';"],
  ['internal/dashboard/part/planted.ts', "import 'uplot';"],
  ['cmd/planted.ts', "import '../internal/proxy/pool.ts';"],
];

describe('the layer table', () => {
  let folder = '';
  /** By the planted file: what the linter says about it, line by line. */
  let found: ReadonlyMap<string, string>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-layers-'));
    await cp(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const all = [...FORBIDDEN, ...ALLOWED];
    for (const [index, [file, statement]] of all.entries()) {
      const path = join(folder, placeOf(file, index));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, `${statement}\n`);
    }
    found = await lint(folder);
  });

  after(() => rm(folder, { recursive: true, force: true }));

  for (const [index, [file, statement]] of FORBIDDEN.entries()) {
    it(`refuses ${statement} in ${file}`, () => {
      assert.match(found.get(placeOf(file, index)) ?? '', /no-restricted-(imports|properties)/);
    });
  }

  for (const [index, [file, statement]] of ALLOWED.entries()) {
    it(`accepts ${statement} in ${file}`, () => {
      assert.doesNotMatch(found.get(placeOf(file, FORBIDDEN.length + index)) ?? '', /no-restricted/);
    });
  }
});

/** Each statement in a file of its own, so that one run of the linter judges all of them. */
function placeOf(file: string, index: number): string {
  return file.replace('planted', `planted-${index}`);
}

async function lint(folder: string): Promise<Map<string, string>> {
  const bin = join(ROOT, 'node_modules/oxlint/bin/oxlint');
  const child = spawn(process.execPath, [bin, '--deny-warnings', '--format=unix', '.'], { cwd: folder });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  assert.equal(code, 1, output);
  const byFile = new Map<string, string>();
  for (const line of output.split('\n')) {
    const file = line.slice(0, line.indexOf(':'));
    byFile.set(file, `${byFile.get(file) ?? ''}${line}\n`);
  }
  return byFile;
}
