import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../../internal/client/client.ts';
import { HeimdallConnectionError } from '../../../internal/client/errors.ts';
import type { DeploymentStepView, DeploymentView } from '../../../internal/model/deployment-view.ts';

/** Between two tries to reach a manager that is being replaced or started again. */
const RETRY_MS = 500;
/** A manager that cannot be reached for longer will not come back soon. */
const PATIENCE_MS = 60_000;

export interface DeploymentTeller {
  step(step: DeploymentStepView): void;
  /** The manager cannot be reached; the deployment may go on, and is looked for again. */
  lost(): void;
}

/**
 * Tells every step of a deployment once, from its first on, until it is over. A manager that goes away meanwhile, as for `heimdall
 * reload`, is waited for.
 * @throws {HeimdallConnectionError} when it does not come back. {HeimdallApiError}
 */
export async function followDeployment(
  client: Pick<Client, 'deployments'>,
  id: number,
  teller: DeploymentTeller,
  signal: AbortSignal,
  retryMs = RETRY_MS,
): Promise<DeploymentView | null> {
  let told = 0;
  let heardAt = performance.now();
  while (!signal.aborted) {
    let count = 0;
    try {
      for await (const { event, data } of client.deployments.follow(id, { signal })) {
        heardAt = performance.now();
        if (event === 'end') return data;
        count += 1;
        if (count <= told) continue;
        told = count;
        teller.step(data);
      }
    } catch (error) {
      const isOver = performance.now() - heardAt > PATIENCE_MS;
      if (!(error instanceof HeimdallConnectionError) || isOver) throw error;
      teller.lost();
    }
    await sleep(retryMs, undefined, { signal }).catch(() => {});
  }
  return null;
}
