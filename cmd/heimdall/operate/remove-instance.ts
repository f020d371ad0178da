import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../../internal/client/client.ts';
import { HeimdallConnectionError } from '../../../internal/client/errors.ts';
import type { InstanceView } from '../../../internal/model/instance-view.ts';

const LOOK_MS = 1_000;
/** A manager that is being replaced is back sooner. */
const PATIENCE_MS = 60_000;

/**
 * Removes an instance; resolves when it is gone. A drain may take longer than any connection lasts, and the manager may be
 * replaced meanwhile: then it is looked for until it is gone.
 * @throws {HeimdallApiError} {HeimdallConnectionError}
 */
export async function removeInstance(
  { servers }: Pick<Client, 'servers'>,
  instance: InstanceView,
  { force, signal }: { readonly force: boolean; readonly signal: AbortSignal },
  lookMs = LOOK_MS,
): Promise<InstanceView> {
  try {
    return await servers.remove(instance.id, { force, signal });
  } catch (error) {
    if (!(error instanceof HeimdallConnectionError)) throw error;
    return untilGone({ servers, lookMs, signal }, instance, error);
  }
}

/** @throws `lost` when the manager does not come back, or the instance is not leaving. */
async function untilGone(
  { servers, lookMs, signal }: Pick<Client, 'servers'> & { readonly lookMs: number; readonly signal: AbortSignal },
  instance: InstanceView,
  lost: Error,
): Promise<InstanceView> {
  let heardAt = performance.now();
  for (;;) {
    await sleep(lookMs, undefined, { signal });
    try {
      const present = (await servers.list({ signal })).find(({ id }) => id === instance.id);
      if (present === undefined) return { ...instance, pid: null, status: 'stopped' };
      if (present.status !== 'draining') throw lost;
      heardAt = performance.now();
    } catch (error) {
      const isOver = performance.now() - heardAt > PATIENCE_MS;
      if (!(error instanceof HeimdallConnectionError) || error === lost || isOver) throw error;
    }
  }
}
