import type { RegistrySettings } from '../../internal/model/registry-settings.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-codes.ts';

/**
 * For commands about the registry's file.
 * @param instead - what does the same for etcd.
 * @throws {CommandError} when the registry is in etcd.
 */
export function refuseEtcd({ driver }: RegistrySettings, instead: string): void {
  if (driver !== 'etcd') return;
  const message = `the registry is in etcd, which has a tool of its own for that: ${instead}`;
  throw new CommandError(EXIT.failed, message);
}
