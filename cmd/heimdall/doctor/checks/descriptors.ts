import { configuredInstances } from '../../../../internal/model/service.ts';
import type { Config } from '../../../../internal/config/schema.ts';
import { type Finding, well } from '../finding.ts';
import type { Machine } from '../machine.ts';

/** Of the processes themselves: registry, logs, listeners, threads. */
const OWN = 200;
/** Of a request under way: its client, and the instance. */
const PER_REQUEST = 2;
/** Idle connections that a thread keeps to an upstream, and threads, where the configuration does not tell. */
const IDLE_PER_UPSTREAM = 64;
const THREADS = 4;
const FEW_REQUESTS = 2_000;
const ADVICE = 'raise it: ulimit -n 65536 in the shell that starts heimdall, or LimitNOFILE=65536 in its systemd unit';

/** How many files and sockets a process may have open (`ulimit -n`); Node takes as many as the hard limit allows. */
export async function checkDescriptors(config: Config, machine: Machine): Promise<Finding[]> {
  const about = 'open files';
  const limit = limitIn(await machine.proc('self/limits'));
  if (limit === null) return [];
  const threads = config.proxy.threads === 'auto' ? THREADS : config.proxy.threads;
  const upstreams = config.services.reduce(
    (sum, service) => sum + configuredInstances(service) + service.servers.length,
    0,
  );
  const requests = Math.floor((limit - OWN - upstreams * IDLE_PER_UPSTREAM * threads) / PER_REQUEST);
  const wanted = config.services.reduce((sum, service) => sum + wantedBy(service), 0);
  if (requests < 1) {
    const message = `${limit} a process, which the idle connections to ${upstreams} instances alone can take up`;
    return [{ level: 'broken', about, message, advice: ADVICE }];
  }
  const message = `${limit} a process, enough for about ${requests} requests at a time`;
  if (requests < wanted) {
    return [
      { level: 'warning', about, message: `${message}; maxConnections and queues allow ${wanted}`, advice: ADVICE },
    ];
  }
  if (requests < FEW_REQUESTS) return [{ level: 'warning', about, message, advice: ADVICE }];
  return [well(about, message)];
}

/** What its limits let in at a time; 0: there are none. */
function wantedBy(service: Config['services'][number]): number {
  const { maxConnections, queue, servers } = service;
  if (maxConnections === null) return 0;
  return maxConnections * (configuredInstances(service) + servers.length) + queue.limit;
}

/** The soft limit in `/proc/self/limits`, which Node has raised to the hard one. */
function limitIn(limits: string | null): number | null {
  const value = /^Max open files\s+(\d+|unlimited)/m.exec(limits ?? '')?.[1];
  if (value === undefined) return null;
  return value === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(value);
}
