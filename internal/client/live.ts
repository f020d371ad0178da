import type { LiveMessages, LiveState } from '../model/live.ts';
import type { Connection } from './connection.ts';
import type { CallOptions } from './options.ts';

/** One message of `GET /live`. */
export type LiveMessage = {
  readonly [E in keyof LiveMessages]: { readonly event: E; readonly data: LiveMessages[E] };
}[keyof LiveMessages];

/**
 * The live stream until the signal comes. Who hears no `tick` for some seconds shows what is stale.
 * @throws {HeimdallApiError} {HeimdallConnectionError} also when the stream breaks off or ends: ask for it again.
 */
export async function* liveMessages(connection: Connection, options?: CallOptions): AsyncGenerator<LiveMessage, void> {
  for await (const { event, data } of connection.events({ method: 'GET', path: '/live', options })) {
    if (event === 'state' || event === 'history' || event === 'tick') yield { event, data: JSON.parse(data) };
  }
}

/** What the first message of the stream would say. */
export function liveState(connection: Connection, options?: CallOptions): Promise<LiveState> {
  return connection.json({ method: 'GET', path: '/live', query: { once: true }, options });
}
