import { join } from 'node:path';
import type { Candidate } from './candidate.ts';

const PEERS = join(import.meta.dirname, '..', 'peers');

/**
 * A proxy library from npm in the smallest program that goes round its backends.
 * @param file - the program, in `peers`; its arguments are its own port and those of the backends.
 */
export function nodeProxy(name: string, file: string): Candidate {
  return {
    name,
    threads: 1,
    start: (workshop, { port, backends, cores }) => {
      const command = [process.execPath, join(PEERS, file), String(port), backends.join(',')];
      return workshop.spawn(command, { cores, env: { NODE_ENV: 'production' } });
    },
  };
}
