import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

/** Of heimdall's own package, wherever it is installed and whether it runs from its sources or built. */
export const packageVersion: string = versionIn(JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')));

/** Where the built dashboard is, if it is. */
export const dashboardFolder: string = join(packageRoot(), 'dist', 'dashboard');

/** The main file of another process of this package: `server-manager`, `load-balancer`, `test-server`. */
export function mainFile(process: string): string {
  return join(import.meta.dirname, '..', process, `main${extname(import.meta.filename)}`);
}

function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`there is no package.json above ${import.meta.dirname}`);
    folder = parent;
  }
  return folder;
}

/** By hand: loading zod takes longer than all else that `heimdall --help` does. */
function versionIn(content: unknown): string {
  const version = typeof content === 'object' && content !== null ? Reflect.get(content, 'version') : undefined;
  if (typeof version === 'string') return version;
  throw new Error('the package.json of heimdall has no version');
}
