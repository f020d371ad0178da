import type { Server } from 'node:net';

/**
 * The descriptor of a listening socket. There is no documented way to it; the handle has carried it since Node 0.x.
 * @throws when there is none, as on Windows.
 */
export function descriptorOf(server: Server): number {
  const handle: unknown = Reflect.get(server, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  if (typeof fd === 'number' && fd >= 0) return fd;
  throw new Error('this platform does not show the descriptor of a listening socket, so that it cannot be handed over');
}
