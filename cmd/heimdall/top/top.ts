import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-codes.ts';
import { type OperateOptions, openSession, print, type Session } from '../operate/session.ts';
import { topText } from './top-text.ts';
import { FIRST_VIEW, type Sort, type TopView } from './view.ts';
import { Watch } from './watch.ts';

/** Of what is no terminal. */
const COLUMNS = 200;

export interface TopOptions extends OperateOptions {
  readonly once: boolean;
  readonly sort: Sort;
  readonly filter: string;
}

/** `heimdall top`: a table that goes on; once, when that is asked for or nobody can look at more. */
export async function top(options: TopOptions): Promise<void> {
  const session = await openSession(options);
  const view = { ...FIRST_VIEW, sort: options.sort, filter: options.filter };
  if (options.once || options.json || !process.stdout.isTTY) return once(session, view);
  const end = await new Watch(session.client, session.paint, view).run();
  if (end === 'interrupt') throw new CommandError(EXIT.interrupted, '');
}

async function once(session: Session, view: TopView): Promise<void> {
  const state = await session.client.liveState();
  const columns = process.stdout.isTTY ? process.stdout.columns : COLUMNS;
  print(session, state, () => {
    const { lines } = topText(state, view, { columns, rows: Infinity, stale: null, paint: session.paint });
    return `${lines.join('\n').trimEnd()}\n`;
  });
}
