/**
 * Whoever reads our output may stop when it has enough (`heimdall events | head -1`): that ends the command, and is no failure. Not for
 * commands that keep others alive.
 */
export function endWhenUnread(stream: NodeJS.WriteStream, end: () => void): void {
  stream.on('error', (error) => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error;
    end();
  });
}
