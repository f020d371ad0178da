import type { IWatchResponse } from 'etcd3';
import type { Store } from './store.ts';

/** Between two requests for a sign of life. */
const PING_MS = 2_000;

/** A message of a watch: changes, or merely that it is there. */
export type WatchMessage = IWatchResponse;

/** The revision from which a watch was to begin is not kept any more. */
export class Compacted extends Error {
  constructor() {
    super('the changes of the meantime were compacted');
    this.name = 'Compacted';
  }
}

interface FollowOptions {
  readonly store: Store;
  /** How the names begin that are watched. */
  readonly beginning: string;
  readonly fromRevision: number;
  readonly signal: AbortSignal;
  /** Of every message, the first of which says that the watch has begun. What it throws ends the watch. */
  readonly onMessage: (message: WatchMessage) => void;
}

/**
 * Watches through one member until that fails, falls silent, or the signal aborts; then it rejects.
 * A request for progress every two seconds is the sign of life: connections to a host that vanished tell nothing.
 * The revisions of such answers are not used: they may overtake changes (etcd issue 15220).
 * @throws {Compacted}
 */
export async function follow({ store, beginning, fromRevision, signal, onMessage }: FollowOptions): Promise<never> {
  const { members } = store;
  const { turn, passing } = members;
  const stream = await store.watch(beginning, fromRevision);
  const ended = Promise.withResolvers<never>();
  let heardAt = performance.now();
  const pings = setInterval(() => {
    if (performance.now() - heardAt > PING_MS + members.timeout) {
      ended.reject(new Error('a member has fallen silent'));
    } else stream.write({ progress_request: {} });
  }, PING_MS);
  pings.unref();
  const abort = () => ended.reject(signal.reason);
  const pass = () => ended.reject(new Error('the member that was watched does not answer'));
  signal.addEventListener('abort', abort, { once: true });
  passing.addEventListener('abort', pass, { once: true });
  stream.on('error', (error) => ended.reject(error));
  stream.on('end', () => ended.reject(new Error('a member ended the watch')));
  stream.on('data', (message: WatchMessage) => {
    heardAt = performance.now();
    try {
      if (Number(message.compact_revision) > 0) throw new Compacted();
      if (message.canceled)
        throw new Error(`a member cancelled the watch: ${message.cancel_reason || 'it does not say why'}`);
      onMessage(message);
    } catch (error) {
      ended.reject(error);
    }
  });
  if (signal.aborted) abort();
  if (passing.aborted) pass();
  try {
    return await ended.promise;
  } catch (error) {
    if (!signal.aborted && !(error instanceof Compacted)) members.passOver(turn);
    throw error;
  } finally {
    clearInterval(pings);
    signal.removeEventListener('abort', abort);
    passing.removeEventListener('abort', pass);
    stream.on('error', () => {}); // of the cancelling
    stream.cancel?.();
  }
}
