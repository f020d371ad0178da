import { LivePicture } from '../top/live-picture.ts';
import { Progress, type ProgressStream } from '../terminal/progress.ts';
import { timeText } from '../terminal/units.ts';
import { untilInterrupted } from './interrupt.ts';
import type { Session } from './session.ts';

/** Tells what is waited for, and on a terminal how long it has taken so far. After Ctrl-C the manager goes on with it. */
export async function waited<T>(
  session: Pick<Session, 'json'>,
  what: string,
  action: (signal: AbortSignal) => Promise<T>,
  detail: () => string = () => '',
  stream: ProgressStream = process.stderr,
): Promise<T> {
  using progress = new Progress(session.json ? null : stream);
  const begun = performance.now();
  progress.is(stream.isTTY === true ? () => `${what} … ${timeText(performance.now() - begun)}${detail()}` : what);
  return await untilInterrupted(action, () => 'this goes on without us: heimdall servers list shows it');
}

/** What an instance that drains still has to do; looked at only where somebody sees it. @param signal - ends the looking. */
export function drainOf({ client, json }: Session, id: string, signal: AbortSignal): () => string {
  if (json || !process.stderr.isTTY) return () => '';
  const picture = new LivePicture(client, () => {});
  void picture.run(signal).catch(() => {}); // without it there is less to see, and nothing lost
  return () => {
    const { drain } = picture.state?.instances.find((instance) => instance.id === id) ?? { drain: null };
    if (drain === null) return '';
    const left = timeText(Math.max(0, Date.parse(drain.until) - Date.now()));
    return `, requests in flight: ${drain.inFlight}, at most ${left} more`;
  };
}
