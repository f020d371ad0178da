import { nodeNameOf } from '../../internal/config/node-name.ts';
import type { Config } from '../../internal/config/schema.ts';
import { HeimdallError } from '../../internal/model/errors.ts';
import { RegistryCopy } from '../../internal/registry/copy.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import type { InheritedRegistry } from '../runtime/inheritance.ts';

/**
 * A manager that takes over with the registry in etcd, where its predecessor has a file, brings along what is in it.
 * @param before - where the predecessor has its registry.
 * @returns what is to be done when the predecessor has given it up; null: it is the same registry.
 * @throws {HeimdallError} what speaks against it; nothing has changed then, and the predecessor goes on.
 */
export async function prepareMove(
  before: InheritedRegistry | undefined,
  config: Pick<Config, 'registry' | 'node'>,
  log: Logger,
): Promise<(() => Promise<void>) | null> {
  const { registry } = config;
  if (before === undefined || before.driver === registry.driver) return null;
  if (before.driver !== 'sqlite') throw refused('the registry is in etcd, and cannot be copied into a file');
  if (before.path !== registry.path) {
    throw refused(
      `registry.path is ${before.path}, beside which logs are kept; it must stay when the registry moves to etcd`,
    );
  }
  const copy = await RegistryCopy.open({ from: before, to: registry, node: nodeNameOf(config) });
  try {
    await copy.begin(false);
  } catch (error) {
    await copy.close();
    throw error;
  }
  return async () => {
    try {
      const counts = await copy.carryOut();
      log.info({ from: copy.from, to: copy.to, ...counts }, 'the registry was copied');
    } finally {
      await copy.close();
    }
  };
}

function refused(reason: string): HeimdallError {
  return new HeimdallError('INVALID_REQUEST', `${reason}. Stop heimdall to begin with another registry.`);
}
