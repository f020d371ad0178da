import type { Config } from '../../../internal/config/schema.ts';
import { startProbe } from '../../../internal/health/probe.ts';
import type { Service } from '../../../internal/model/service.ts';
import { openProxy } from '../../../internal/registry/open.ts';
import { type Front, FrontError } from '../../../internal/sync/front.ts';
import { Lookout } from '../../../internal/sync/lookout.ts';
import type { Picture } from '../../../internal/sync/picture.ts';
import { systemClock } from '../../../pkg/clock/clock.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { newProxyId } from '../../load-balancer/identity.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';
import type { Chosen, SyncArguments } from './front-sync.ts';

/**
 * Brings what the registry says now into force, or shows it. Drains do not wait for this: it is gone before they could ask.
 * @throws {CommandError} what was in force before still is.
 */
export async function syncOnce(given: SyncArguments, config: Config, front: Front, chosen: Chosen): Promise<void> {
  const log = createLogger({ name: `sync-${front.name}`, level: 'silent' });
  const registry = await openProxy(config.registry, { proxyId: newProxyId(), log });
  try {
    const picture = await pictureNow(chosen(config.services), await registry.snapshot());
    const { changed, warnings, text } = await done(given, front, picture);
    for (const warning of warnings) process.stderr.write(`heimdall: ${warning}\n`);
    const { revision } = picture;
    if (given.json)
      process.stdout.write(`${JSON.stringify({ changed, revision, warnings, ...(given.dryRun ? { text } : {}) })}\n`);
    else if (given.dryRun) process.stdout.write(text);
    else process.stdout.write(`${front.name} ${changed ? 'has' : 'already had'} revision ${revision}\n`);
  } catch (error) {
    throw error instanceof FrontError ? new CommandError(EXIT.failed, error.message) : error;
  } finally {
    await registry.close();
  }
}

async function done({ dryRun }: SyncArguments, front: Front, picture: Picture) {
  if (dryRun) return front.draft(picture);
  return { ...(await front.apply(picture, new AbortController().signal)), text: '' };
}

/** With one round of checks. */
async function pictureNow(services: readonly Service[], snapshot: Parameters<Lookout['apply']>[0]): Promise<Picture> {
  const { promise, resolve } = Promise.withResolvers<Picture>();
  const lookout: Lookout = new Lookout(services, {
    startProbe,
    clock: systemClock,
    random: Math.random,
    log: createLogger({ name: 'sync', level: 'silent' }),
    onChange: () => {
      const picture = lookout.picture();
      if (picture !== null) resolve(picture);
    },
    onHealth() {},
  });
  lookout.apply(snapshot);
  const picture = await promise;
  lookout.stop();
  return picture;
}
