/** What instances can be put in order by; each has a key of its own. */
export const SORTS = {
  service: 's',
  id: 'n',
  rps: 't',
  errors: 'e',
  p99: 'p',
  'in-flight': 'i',
  cpu: 'c',
  memory: 'm',
  restarts: 'r',
} as const;
export type Sort = keyof typeof SORTS;

export const SORT_NAMES: readonly Sort[] = [
  'service',
  'id',
  'rps',
  'errors',
  'p99',
  'in-flight',
  'cpu',
  'memory',
  'restarts',
];

/** What a person has chosen to see. */
export interface TopView {
  readonly sort: Sort;
  readonly isReversed: boolean;
  /** Only what has this in its names or its state; empty: everything. */
  readonly filter: string;
  /** The filter is being typed. */
  readonly isTyping: boolean;
  /** So many instances are above the first that is shown. */
  readonly offset: number;
}

export const FIRST_VIEW: TopView = { sort: 'service', isReversed: false, filter: '', isTyping: false, offset: 0 };

/** A key as `node:readline` tells it. */
export interface Key {
  readonly name?: string | undefined;
  readonly sequence?: string | undefined;
  readonly ctrl?: boolean | undefined;
}

/** What `q`, Ctrl-C and Ctrl-Z ask for. */
export type Request = 'quit' | 'interrupt' | 'suspend';

/** The view after a key. @param page - how many instances fit on the screen. @param last - the largest offset that shows any. */
export function pressed(view: TopView, key: Key, page: number, last: number): TopView | Request {
  if (key.ctrl === true) {
    if (key.name === 'c') return 'interrupt';
    return key.name === 'z' ? 'suspend' : view;
  }
  return view.isTyping ? typed(view, key) : chosen(view, key, page, last);
}

function chosen(view: TopView, key: Key, page: number, last: number): TopView | Request {
  const moves: Readonly<Record<string, number>> = {
    up: -1,
    down: 1,
    pageup: -page,
    pagedown: page,
    home: -Infinity,
    end: Infinity,
  };
  const move = moves[key.name ?? ''];
  if (move !== undefined) return { ...view, offset: Math.max(0, Math.min(last, view.offset + move)) };
  if (key.sequence === 'q') return 'quit';
  if (key.sequence === '/') return { ...view, isTyping: true };
  if (key.sequence === 'R') return { ...view, isReversed: !view.isReversed };
  if (key.name === 'escape') return { ...view, filter: '', offset: 0 };
  const sort = SORT_NAMES.find((name) => SORTS[name] === key.sequence);
  return sort === undefined ? view : { ...view, sort, isReversed: false, offset: 0 };
}

function typed(view: TopView, { name, sequence = '' }: Key): TopView {
  if (name === 'return' || name === 'enter') return { ...view, isTyping: false };
  if (name === 'escape') return { ...view, isTyping: false, filter: '' };
  if (name === 'backspace') return { ...view, filter: view.filter.slice(0, -1), offset: 0 };
  return /^[ -~]$/.test(sequence) ? { ...view, filter: view.filter + sequence, offset: 0 } : view;
}
