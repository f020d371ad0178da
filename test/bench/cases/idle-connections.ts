import { setTimeout as sleep } from 'node:timers/promises';
import { startFastBackends } from '../backends/fast-backends.ts';
import type { Bench } from '../bench.ts';
import type { Candidate } from '../candidates/candidate.ts';
import { IdleClients } from '../load/idle-clients.ts';
import { openFilesLimit, residentBytes } from '../proc/memory.ts';
import { startCandidate } from '../start-candidate.ts';
import type { BenchmarkCase, Sample } from './case.ts';

const CONNECTIONS = 5_000;
const BACKENDS = 4;
/** The proxy may hold as many connections to its backends again, and everything else it has open. */
const FILES_NEEDED = 2 * CONNECTIONS + 500;
/** Before memory is read: what is short-lived is gone then. */
const SETTLE_MS = 2_000;
const MEBIBYTE = 1024 * 1024;

/** The memory that idle clients cost: each has made one request and keeps its connection. */
export const idleConnections: BenchmarkCase = {
  name: 'idle-connections',
  title: '5,000 idle keep-alive connections, each after one request',
  columns: [
    { metric: 'beforeMib', title: 'MiB before', digits: 1 },
    { metric: 'afterMib', title: 'MiB with them', digits: 1 },
    { metric: 'grownMib', title: 'MiB more', digits: 1 },
    { metric: 'kibPerConnection', title: 'KiB/connection', digits: 1 },
  ],
  ratio: { metric: 'grownMib', title: 'more × HAProxy' },
  rounds: 1,
  subjects: async (bench) => {
    const limit = await openFilesLimit();
    if (limit < FILES_NEEDED)
      throw new Error(
        `needs ${FILES_NEEDED} open files, the limit is ${limit}: run \`ulimit -n ${FILES_NEEDED}\` first`,
      );
    const backends = await bench.ports.take(BACKENDS);
    await startFastBackends(bench, backends);
    return bench.candidates.map((candidate) => ({
      name: candidate.name,
      baseline: 'haproxy',
      start: async () => () => measureMemory(bench, candidate, backends),
    }));
  },
};

/** Of a fresh process: what earlier connections have left would hide what these cost. */
async function measureMemory(bench: Bench, candidate: Candidate, backends: readonly number[]): Promise<Sample> {
  const proxy = await startCandidate(bench, candidate, backends);
  try {
    await sleep(SETTLE_MS);
    const before = await residentBytes(proxy.pid);
    using clients = await IdleClients.open(proxy.port, CONNECTIONS, bench.workshop.signal);
    await sleep(SETTLE_MS);
    const after = await residentBytes(proxy.pid);
    if (clients.open < CONNECTIONS)
      throw new Error(`${CONNECTIONS - clients.open} of the idle connections were closed`);
    const grown = after - before;
    return {
      beforeMib: before / MEBIBYTE,
      afterMib: after / MEBIBYTE,
      grownMib: grown / MEBIBYTE,
      kibPerConnection: grown / 1024 / CONNECTIONS,
    };
  } finally {
    await proxy.stop();
  }
}
