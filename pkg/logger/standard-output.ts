import { constants, openSync } from 'node:fs';

/**
 * The descriptor of standard output, such that a write never waits for who reads: EAGAIN tells that it would.
 *
 * Node makes that of a pipe so as soon as somebody looks at `process.stdout`. That of a terminal is also the shell's, and stays as it
 * is: a terminal that stands still (Ctrl-S) would stop who writes to it, so it is opened once more.
 */
export function standardOutput(output: { readonly fd: number; readonly isTTY: boolean } = process.stdout): number {
  const { fd, isTTY } = output;
  if (!isTTY) return fd;
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return fd; // it may be another user's, or this is no Linux
  }
}
