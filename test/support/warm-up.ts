// Compiles what the end-to-end tests start, once, while the first test files run. Else each of the first dozen processes
// would do it for itself: what a process has compiled, others find when it has ended.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { COMPILE_CACHE } from './e2e-process.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MODULES = [
  'cmd/heimdall/cli.ts',
  'cmd/heimdall/up.ts',
  'cmd/load-balancer/run.ts',
  'cmd/load-balancer/wire-engine.ts',
  'cmd/load-balancer/middleware-engine.ts',
  'cmd/server-manager/run.ts',
  'cmd/test-server/app.ts',
  'internal/proxy/wire/engine.ts',
].map((path) => join(ROOT, path));

const IMPORT_ALL = 'for (const path of process.argv.slice(1)) await import(path);';

let compiled: Promise<unknown> = Promise.resolve();

export function globalSetup(): void {
  const compiling = spawn(process.execPath, ['--input-type=module', '-e', IMPORT_ALL, ...MODULES], {
    env: { PATH: process.env['PATH'], ...COMPILE_CACHE },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  compiled = once(compiling, 'close');
}

export async function globalTeardown(): Promise<void> {
  await compiled;
}
