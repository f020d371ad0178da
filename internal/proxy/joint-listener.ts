import type { Listener } from './engine.ts';

/**
 * Listens on every socket of one address as one listener: a predecessor may have had more of them than are needed now.
 * @param sockets - descriptors; none: the address is bound.
 */
export async function jointListener(
  sockets: readonly number[],
  listen: (socket: number | undefined) => Promise<Listener>,
): Promise<Listener> {
  const [socket, ...others] = sockets;
  const first = await listen(socket);
  const all = [first, ...(await Promise.all(others.map(listen)))];
  const each = async (job: (listener: Listener) => Promise<void>) => void (await Promise.all(all.map(job)));
  return {
    host: first.host,
    port: first.port,
    close: (deadlineMs) => each((listener) => listener.close(deadlineMs)),
    retire: (deadlineMs) => each((listener) => listener.retire(deadlineMs)),
    sockets: async () => (await Promise.all(all.map((listener) => listener.sockets()))).flat(),
  };
}
