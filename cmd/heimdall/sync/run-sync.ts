import type { Front } from '../../../internal/sync/front.ts';
import { runProcess } from '../../runtime/run-process.ts';
import { type Chosen, FrontSync, type SyncArguments } from './front-sync.ts';
import { syncOnce } from './once.ts';

/** Once, or until a signal. */
export async function runSync(given: SyncArguments, front: Front, chosen: Chosen): Promise<void> {
  if (given.once || given.dryRun) await syncOnce(given, front, chosen);
  else await runProcess(() => FrontSync.start(given, front, chosen));
}
