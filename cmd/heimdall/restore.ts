import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { loadConfig } from '../../internal/config/load.ts';
import { restoreRegistry } from '../../internal/registry/sqlite/restore.ts';
import { holdersOf } from '../../internal/server/open-files.ts';
import { loadOptions } from '../runtime/arguments.ts';
import { contentText } from './backup.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-codes.ts';
import { refuseEtcd } from './refuse-etcd.ts';

/** The registry, and what lies beside it as long as it is in use. */
const SUFFIXES = ['', '-wal', '-shm', '.manager-lock'];

export interface RestoreArguments {
  readonly config?: string;
  readonly json: boolean;
}

/**
 * `heimdall restore FILE`: a backup in the place of the registry, which is kept beside it. heimdall must not run.
 * @throws {CommandError} when a process has the registry open, or it is in etcd.
 * @throws {HeimdallError} as `restoreRegistry`.
 */
export async function restore(file: string, { config: path, json }: RestoreArguments): Promise<void> {
  const { config } = await loadConfig(loadOptions(path));
  refuseEtcd(config.registry, 'etcdctl snapshot restore FILE');
  const registry = config.registry.path;
  const [holder] = await registryHolders(registry);
  if (holder !== undefined) {
    const message = `process ${holder} has the registry ${registry} open. Stop heimdall first.`;
    throw new CommandError(EXIT.failed, message, { pid: holder });
  }
  const restored = await restoreRegistry({ file, path: registry });
  if (json) process.stdout.write(`${JSON.stringify({ path: registry, ...restored }, null, 2)}\n`);
  else process.stdout.write(restoredText(registry, restored));
}

/** The processes that have the registry open, or had it when it was deleted. @param path - of the registry, absolute. */
async function registryHolders(path: string): Promise<number[]> {
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  return holdersOf(new Set(SUFFIXES.map((suffix) => join(folder, basename(path) + suffix))));
}

function restoredText(path: string, restored: Awaited<ReturnType<typeof restoreRegistry>>): string {
  const { before } = restored;
  return `${path}: restored; ${contentText(restored)}
${before === null ? 'There was no registry before.' : `The one before is kept as ${before}.`}
At the next start, instances of then that still run are adopted, and the others started again; the releases of then are in force.
`;
}
