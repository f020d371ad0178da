import type { Logger } from '../../pkg/logger/logger.ts';
import type { Snapshot } from './registry.ts';

/** Whether a picture takes the place of the one in force: not one that a newer has overtaken, nor an empty one of another registry. */
export function supersedes(picture: Snapshot, inForce: Snapshot | null, log: Pick<Logger, 'warn'>): boolean {
  if (inForce === null) return true;
  if (inForce.registryId === picture.registryId) return picture.revision >= inForce.revision;
  if (picture.instances.length > 0) return true;
  log.warn('the registry was replaced by an empty one; the last picture stays in force until it has instances');
  return false;
}
