import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './workshop.ts';

const LIMIT_MS = 30_000;
const POLL_MS = 50;
const ASK_MS = 2_000;

/**
 * Resolves once 127.0.0.1 answers a request on the port with 200.
 * @throws {Error} with the end of the process's output when it ends before, or does not answer in time.
 */
export async function answers(child: Child, port: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await answersOnce(port))) {
    signal.throwIfAborted();
    if (!child.running) throw new Error(`ended at its start: ${lastLines(child.output)}`);
    if (performance.now() > deadline)
      throw new Error(`does not answer within ${LIMIT_MS / 1_000} s: ${lastLines(child.output)}`);
    await sleep(POLL_MS);
  }
}

function answersOnce(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(ASK_MS, () => socket.destroy());
  socket.on('connect', () => socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`));
  socket.once('data', (chunk) => {
    resolve(chunk.toString('latin1').startsWith('HTTP/1.1 200'));
    socket.destroy();
  });
  socket.on('error', () => {}); // `close` follows
  socket.on('close', () => resolve(false));
  return promise;
}

function lastLines(output: string): string {
  return output.trim().split('\n').slice(-3).join(' | ') || 'without a word';
}
