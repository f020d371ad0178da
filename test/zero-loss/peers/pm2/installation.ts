import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';

const HOW_TO_INSTALL = 'mkdir pm2 && npm install --prefix pm2 pm2@7, then --pm2 pm2';

export type Installation =
  | { readonly bin: string; readonly version: string }
  /** What to do about it. */
  | { readonly missing: string };

/** @param folder - where `npm install pm2` was run; undefined: the one on the PATH. */
export function findPm2(folder: string | undefined): Installation {
  const bin = folder === undefined ? onPath() : join(resolve(folder), 'node_modules', 'pm2', 'bin', 'pm2');
  if (bin === null || !existsSync(bin)) return { missing: HOW_TO_INSTALL };
  const about: unknown = JSON.parse(readFileSync(join(bin, '..', '..', 'package.json'), 'utf8'));
  return { bin, ...z.object({ version: z.string() }).parse(about) };
}

function onPath(): string | null {
  const path = spawnSync('sh', ['-c', 'command -v pm2'], { encoding: 'utf8' }).stdout.trim();
  return path === '' ? null : realpathSync(path);
}
