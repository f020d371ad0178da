import type { Fleet } from '../../internal/proxy/fleet.ts';
import { serviceState } from './proxy-fakes.ts';
import { onHeads, parseMessage, RawBackend, rawClient, requestText } from './proxy-raw.ts';

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
/** A hold that no test gets to the end of. */
export const LONG = { limit: 1_000, timeout: '60s' };

export function pause(fleet: Fleet): void {
  fleet.apply([], [serviceState({ pausedSince: 1 })]);
}

export function resume(fleet: Fleet): void {
  fleet.apply([], [serviceState()]);
}

export function held({ fleet }: { readonly fleet: Fleet }): number {
  return fleet.pool('web')?.waiting ?? Number.NaN;
}

/** A backend that answers at once, and knows in which order requests came. */
export async function listing(): Promise<{ readonly backend: RawBackend; readonly seen: string[] }> {
  const seen: string[] = [];
  const backend = await RawBackend.start((connection) => {
    onHeads(connection, (head) => {
      seen.push(head.split(' ', 2)[1] ?? '');
      connection.write(head.includes('pgrade: websocket') ? SWITCH : OK);
    });
  });
  return { backend, seen };
}

/** Asks one after the other until it is enough. @returns the statuses. */
export async function asking(port: number, enough: () => boolean): Promise<number[]> {
  const statuses: number[] = [];
  while (!enough()) {
    const client = await rawClient(port, requestText('GET /load'));
    statuses.push(parseMessage(await client.rest()).status);
    client.close();
  }
  return statuses;
}
