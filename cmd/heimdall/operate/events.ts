import { setTimeout as sleep } from 'node:timers/promises';
import { HeimdallConnectionError } from '../../../internal/client/errors.ts';
import type { EventView } from '../../../internal/model/event-view.ts';
import { wholeNumber } from './arguments.ts';
import { eventText } from './events-text.ts';
import { untilInterrupted } from './interrupt.ts';
import { type OperateOptions, openSession, type Session } from './session.ts';

const POLL_MS = 1_000;
const MOST = 1_000;

/** Undefined: all. */
interface Wanted {
  readonly service: string | undefined;
  readonly type: string | undefined;
  readonly actor: string | undefined;
}

export interface EventsOptions extends OperateOptions {
  readonly follow: boolean;
  readonly service?: string;
  readonly type?: string;
  readonly actor?: string;
  readonly limit: string;
}

/** `heimdall events`: oldest first, so that the newest stands where one reads; with `follow` those that come, until Ctrl-C. */
export async function events(options: EventsOptions): Promise<void> {
  const limit = wholeNumber('--limit', options.limit, 1, MOST);
  const session = await openSession(options);
  const { service, type, actor, follow } = options;
  const wanted = { service, type, actor };
  const found = (await session.client.events({ ...wanted, limit })).toReversed();
  if (!follow && session.json) {
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    return;
  }
  tell(session, found);
  if (follow) await untilInterrupted((signal) => followEvents(session, wanted, found.at(-1)?.id ?? 0, signal));
}

/** A manager that is away for a while, as for `heimdall reload`, keeps nobody from following. */
async function followEvents(session: Session, wanted: Wanted, lastTold: number, signal: AbortSignal): Promise<void> {
  let [last, isLost] = [lastTold, false];
  while (!signal.aborted) {
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    try {
      const latest = await session.client.events({ ...wanted, limit: MOST, signal });
      const news = latest.filter(({ id }) => id > last).toReversed();
      tell(session, news);
      last = news.at(-1)?.id ?? last;
      isLost = false;
    } catch (error) {
      if (!(error instanceof HeimdallConnectionError)) throw error;
      if (!isLost) process.stderr.write('heimdall: the manager cannot be reached; trying again\n');
      isLost = true;
    }
  }
}

/** As JSON, one event on each line. */
function tell({ json, paint }: Session, news: readonly EventView[]): void {
  const now = Date.now();
  for (const event of news) process.stdout.write(json ? `${JSON.stringify(event)}\n` : eventText(event, paint, now));
}
