import { setTimeout as sleep } from 'node:timers/promises';
import { isRegistryAway } from '../registry/registry.ts';

const RETRY_MS = 200;

/** Does the work; while the registry cannot be reached it is tried again, until the signal is aborted. @throws the last error. */
export async function insist<T>(work: () => Promise<T>, stopping: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isRegistryAway(error) || stopping.aborted) throw error;
      await sleep(RETRY_MS, undefined, { signal: stopping }).catch(() => {});
    }
  }
}
