import { Socket, type SocketConstructorOpts } from 'node:net';

interface ReadInto {
  readonly buffer: () => Buffer;
  readonly callback: (length: number, chunk: Uint8Array) => boolean;
}

/**
 * The same connection, read into buffers of our own. Node offers that (`onread`) for connections it opens, not for those
 * that a server took in: there every read costs a buffer of 64 KiB and a way through a stream, a seventh of all CPU time
 * of a small request. So the handle of the accepted socket, which must not have been read from (`pauseOnConnect`), goes
 * to a new one.
 * @returns null where this Node has no such handle: `socket` is untouched then, and can be read as a stream.
 */
export function adoptSocket(socket: Socket, onread: ReadInto): Socket | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return null;
  const options: SocketConstructorOpts = { onread, allowHalfOpen: true };
  const adopted = new Socket(Object.assign(options, { handle }));
  if (Reflect.get(adopted, '_handle') !== handle) return null;
  Reflect.set(socket, '_handle', null);
  socket.destroy(); // the empty shell: the server stops counting it
  return adopted;
}
