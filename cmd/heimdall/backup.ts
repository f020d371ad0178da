import { loadConfig } from '../../internal/config/load.ts';
import { backupRegistry } from '../../internal/registry/sqlite/backup.ts';
import type { RegistryContent } from '../../internal/registry/sqlite/registry-file.ts';
import { loadOptions } from '../runtime/arguments.ts';
import { refuseEtcd } from './refuse-etcd.ts';

const BYTES_PER_KIB = 1_024;

export interface BackupArguments {
  readonly config?: string;
  /** Replace a file that is there. */
  readonly force: boolean;
  readonly json: boolean;
}

/**
 * `heimdall backup [FILE]`: a copy of the registry as it is now, while everything runs.
 * @throws {CommandError} when the registry is in etcd.
 * @throws {HeimdallError} as `backupRegistry`.
 */
export async function backup(file: string | undefined, { config: path, force, json }: BackupArguments): Promise<void> {
  const { config } = await loadConfig(loadOptions(path));
  refuseEtcd(config.registry, 'etcdctl snapshot save FILE');
  const made = await backupRegistry({
    from: config.registry.path,
    to: file ?? defaultName(new Date()),
    replace: force,
    onProgress: showProgress,
  });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const size = `${Math.ceil(made.bytes / BYTES_PER_KIB)} KiB`;
  process.stdout.write(
    json ? `${JSON.stringify(made, null, 2)}\n` : `${made.file}: ${size}, checked; ${contentText(made)}\n`,
  );
}

/** `revision 12; 1 service, 3 instances, 0 deployments, 40 events` */
export function contentText(content: Omit<RegistryContent, 'registryId' | 'schema'>): string {
  const { revision, services, instances, deployments, events } = content;
  const counts = [counted(services, 'service'), counted(instances, 'instance'), counted(deployments, 'deployment')];
  return `revision ${revision}; ${[...counts, counted(events, 'event')].join(', ')}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** `registry-20261121-200605.db`, in UTC: names sort by age. */
function defaultName(now: Date): string {
  const [day = '', time = ''] = now.toISOString().replaceAll(/[-:]/g, '').split(/[T.]/);
  return `registry-${day}-${time}.db`;
}

function showProgress(part: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${Math.round(part * 100)} %`);
}
