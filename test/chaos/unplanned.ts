import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { eventually } from '../support/e2e-wait.ts';
import type { Act } from './lane.ts';
import { below, pick, type Random, shuffled } from './random.ts';
import type { ChaosSite } from './site.ts';

/** Something that breaks. */
interface Unplanned extends Act {
  /** Done five times less often than the others: while it lasts, nothing else can be seen. */
  readonly isRare?: boolean;
}

/** How long after a kill a connection to the dead may still break. */
const AFTERMATH_MS = 1_000;
/** A thread’s connections end with it; a client may be about to use one. */
const THREAD_AFTERMATH_MS = 300;
const FROZEN_MS = 3_000;
const LOCKED_MS = 1_500;
const RARITY = 5;

const UNPLANNED: readonly Unplanned[] = [
  {
    name: 'kill an instance',
    async run(site, random, report) {
      const victim = await anInstance(site, random);
      if (victim === undefined) return;
      await report.during(`SIGKILL of ${victim.id}`, 'what cannot be repeated', async () => {
        killIfThere(victim.pid, 'SIGKILL');
        await sleep(AFTERMATH_MS);
      });
    },
  },
  {
    name: 'freeze an instance for a while',
    async run(site, random, report) {
      const victim = await anInstance(site, random);
      if (victim === undefined) return;
      await report.during(`SIGSTOP of ${victim.id}`, 'nothing', async () => {
        killIfThere(victim.pid, 'SIGSTOP');
        await sleep(FROZEN_MS);
        killIfThere(victim.pid, 'SIGCONT');
      });
    },
  },
  {
    name: 'kill the manager',
    run: (site, _random, report) =>
      report.during('SIGKILL of the manager', 'nothing', () => site.manager.killAndStart()),
  },
  {
    name: 'kill a thread of the load balancer',
    run: (site, _random, report) =>
      report.during('the end of a thread', 'everything', async () => {
        const before = await site.endedThreads();
        site.loadBalancer.signal('SIGUSR2');
        await eventually('a thread has ended', async () => (await site.endedThreads()) > before, 5_000).catch(
          () => {}, // its process may end before
        );
        await sleep(THREAD_AFTERMATH_MS);
      }),
  },
  {
    name: 'kill the load balancer',
    isRare: true,
    run: (site, _random, report) =>
      report.during('SIGKILL of the load balancer', 'everything', () => site.loadBalancer.killAndStart()),
  },
  {
    name: 'lock the registry',
    run: (site, _random, report) =>
      report.during('a lock on the registry', 'nothing', async () => {
        const database = new Database(site.system.registryPath, { timeout: 10_000 });
        try {
          database.exec('BEGIN EXCLUSIVE');
          await sleep(LOCKED_MS);
          database.exec('ROLLBACK');
        } finally {
          database.close();
        }
      }),
  },
  {
    name: 'fill the ports',
    run: (site, _random, report) =>
      report.during('all ports taken', 'nothing', async () => {
        const strangers = await takeAll(site.system.ports.from, site.system.ports.to);
        try {
          const { status, body } = await site.api('POST', '/servers/add');
          if (status !== 503) report.fault(`with all ports taken an add was answered with ${status} ${body}`);
        } finally {
          for (const stranger of strangers) stranger.close();
        }
      }),
  },
];

/** Each of them once. */
export function everyBreak(random: Random): Act[] {
  return shuffled(random, UNPLANNED);
}

/** What breaks next. */
export function nextBreak(random: Random): Unplanned | undefined {
  const act = pick(random, UNPLANNED);
  return act?.isRare && below(random, RARITY) > 0 ? nextBreak(random) : act;
}

async function anInstance(site: ChaosSite, random: Random) {
  const running = (await site.system.list()).filter(({ status }) => status === 'running');
  // The only one of a service would leave nobody to repeat a request on.
  const others = running.filter(({ id }) =>
    running.some((other) => other.id !== id && nameOf(other.id) === nameOf(id)),
  );
  const victim = pick(random, others);
  return victim?.pid ? { id: victim.id, pid: victim.pid } : undefined;
}

function nameOf(id: string): string {
  return id.split('-')[0] ?? '';
}

function killIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // it has ended meanwhile
  }
}

async function takeAll(from: number, to: number): Promise<Server[]> {
  const servers: Server[] = [];
  for (let port = from; port <= to; port += 1) {
    const server = createServer((socket) => socket.destroy());
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening');
      servers.push(server);
    } catch {
      // taken by an instance
    }
  }
  return servers;
}

/** So that the choices of the two lanes do not depend on each other. */
export function seedOf(seed: number, lane: number): number {
  return below(() => Math.abs(Math.sin(seed * 97 + lane)), 2 ** 31);
}
