import { hostname } from 'node:os';
import { HeimdallError } from '../../model/errors.ts';
import { EVENTS } from './events.ts';
import { STEPS } from './deployments.ts';
import { NAMES } from './names.ts';
import { valueOf } from './parse.ts';
import { FORM } from './forms.ts';
import { hasEnded, processPlace } from './process-place.ts';
import type { Entry, Guard, Store } from './store.ts';

/** What only managers write, and how people call one of it and several. */
const OF_MANAGERS: readonly (readonly [beginning: string, one?: string, several?: string])[] = [
  ['state/services/', 'service', 'services'],
  ['state/instances/', 'instance', 'instances'],
  ['state/deployments/', 'deployment', 'deployments'],
  ['state/silences/', 'silence', 'silences'],
  ['state/channels/', 'channel', 'channels'],
  [EVENTS, 'event', 'events'],
  ['state/shared/'],
  ['state/announced/'],
  ['state/nodes/'],
  ['state/commits/'],
  ['state/counters/'],
  [STEPS],
  ['kept/answers/'],
  ['requests/'],
];
/** What load balancers, too, write into a registry that is empty. */
const OF_ALL = ['told/health/', 'state/alerts/', 'state/outbox/', 'state/acknowledgements/'];

interface CopyOptions {
  readonly store: Store;
  /** Whether what is there is deleted. */
  readonly force: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Makes sure that nothing of managers is there, and says that a registry is being copied here.
 * @param from - what is copied, for people.
 * @returns what holds as long as nobody else has begun to copy here.
 * @throws {HeimdallError} MANAGER_RUNNING; INVALID_REQUEST when it is not empty, or another copy is under way. Nothing has changed then.
 */
export async function beginCopy(from: string, { store, force, now }: CopyOptions): Promise<Guard> {
  await refuseManagers(store);
  const { entry } = await store.get(NAMES.copying);
  const place = await processPlace();
  if (!force && (await contentOf(store)) !== null) throw await notEmpty(store, entry);
  const guard = { name: NAMES.copying, modified: entry?.modified ?? 0 };
  const value = { from, pid: process.pid, host: hostname(), place, startedAt: now };
  const { done, revision } = await store.commit([guard], [{ put: NAMES.copying, value }]);
  if (!done) throw await notEmpty(store, (await store.get(NAMES.copying)).entry);
  const mark = { name: NAMES.copying, modified: revision };
  try {
    await refuseManagers(store); // one that began meanwhile may not have seen the mark
  } catch (error) {
    await store.commit([mark], [{ remove: NAMES.copying }]);
    throw error;
  }
  for (const beginning of [...OF_MANAGERS.map(([name]) => name), ...OF_ALL]) await store.removeAll(beginning);
  return mark;
}

/** A registry that is half a copy is none. @throws {HeimdallError} REGISTRY_UNAVAILABLE. */
export async function refuseHalfCopy(store: Store): Promise<void> {
  const { entry } = await store.get(NAMES.copying);
  if (entry === null) return;
  const message = `${underWay(store, entry)} No manager can use it before that is done.`;
  throw new HeimdallError('REGISTRY_UNAVAILABLE', message, { store: store.members.name });
}

/** What is in the way of a copy, in words; null: nothing that a manager has written, or a copy that was broken off. */
export async function contentOf(store: Store): Promise<string | null> {
  const { entry } = await store.get(NAMES.copying);
  if (entry !== null && wasBrokenOff(entry, await processPlace())) return null;
  if (entry !== null) return 'a copy that is not complete';
  return keptBy(store);
}

async function keptBy(store: Store): Promise<string | null> {
  const counts = await Promise.all(OF_MANAGERS.map(([beginning]) => store.count(beginning)));
  if (counts.every((count) => count === 0)) return null;
  const named = OF_MANAGERS.flatMap(([, one, several], index) => {
    const count = counts[index] ?? 0;
    return count === 0 || one === undefined ? [] : [`${count} ${count === 1 ? one : several}`];
  });
  return named.length === 0 ? 'what a manager has left' : named.join(', ');
}

/** @throws {HeimdallError} MANAGER_RUNNING. */
export async function refuseManagers(store: Store): Promise<void> {
  const [first] = (await store.list(NAMES.manager(''))).entries;
  if (first === undefined) return;
  const { node, pid, host } = valueOf(FORM.manager, first);
  const message =
    `The registry ${store.members.name} is in use by the manager of node ${node} (pid ${pid} on ${host}), so that nothing can be copied ` +
    'into it. To join it without what is kept here, stop heimdall, and start it with this configuration.';
  throw new HeimdallError('MANAGER_RUNNING', message, { node, pid, host });
}

function wasBrokenOff(entry: Entry, here: string): boolean {
  const { pid, place } = valueOf(FORM.copying, entry);
  return hasEnded(pid, place, here);
}

async function notEmpty(store: Store, copying: Entry | null): Promise<HeimdallError> {
  const { name } = store.members;
  const what =
    copying === null ? `The registry ${name} is not empty (${await keptBy(store)}).` : underWay(store, copying);
  const all = store.fullName('');
  const message =
    `${what} Look at it with etcdctl get --prefix --keys-only ${all}; delete it with etcdctl del --prefix ${all}, or with ` +
    'heimdall registry copy --force; or take another registry.etcd.prefix.';
  return new HeimdallError('INVALID_REQUEST', message, { store: name });
}

function underWay(store: Store, copying: Entry): string {
  const { from, pid, host, startedAt } = valueOf(FORM.copying, copying);
  const since = new Date(startedAt).toISOString();
  return (
    `${from} is being copied into the registry ${store.members.name} by process ${pid} on ${host} since ${since}. ` +
    'If that was broken off, begin anew: heimdall registry copy.'
  );
}
