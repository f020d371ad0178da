import { loadConfig } from '../../../internal/config/load.ts';
import type { Front } from '../../../internal/sync/front.ts';
import { loadOptions } from '../../runtime/arguments.ts';
import { runProcess } from '../../runtime/run-process.ts';
import { claim } from './claim.ts';
import { type Chosen, FrontSync, type SyncArguments } from './front-sync.ts';
import { syncOnce } from './once.ts';

/** Once, or until a signal. @throws {ConfigError}, {CommandError} nothing has happened then. */
export async function runSync(given: SyncArguments, front: Front, chosen: Chosen): Promise<void> {
  const loaded = await loadConfig(loadOptions(given.config));
  if (given.once || given.dryRun) {
    await syncOnce(given, loaded.config, front, chosen);
    return;
  }
  chosen(loaded.config.services);
  for (const thing of front.claims) await claim(thing);
  await runProcess(() => FrontSync.start(given, loaded, front, chosen));
}
