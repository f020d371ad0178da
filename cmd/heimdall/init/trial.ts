import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { probe } from '../../../internal/health/probe.ts';
import { HealthCheckSchema } from '../../../internal/model/health-check.ts';
import { type Instance, UNSPAWNED } from '../../../internal/model/instance.ts';
import type { Service } from '../../../internal/model/service.ts';
import { isPortFree } from '../../../internal/server/bind-probe.ts';
import { launchPlan } from '../../../internal/server/launch-plan.ts';
import { outputPaths } from '../../../internal/server/log-tail.ts';
import { ownerOf, portsOf } from '../../../internal/server/port-owner.ts';
import { describeExit, type Exit, type RunningProcess } from '../../../internal/server/running-process.ts';
import { newToken, spawnProcess } from '../../../internal/server/spawner.ts';
import { HEALTH_PATHS, howToListen } from './guess.ts';
import { TCP } from './plan.ts';

/** How long an app may take until it listens, and until it answers then. */
const START_MS = 30_000;
const ANSWER_MS = 10_000;
/** Who listens elsewhere for so long will not listen where it should. */
const ELSEWHERE_MS = 4_000;
const POLL_MS = 100;
const STOP_MS = 5_000;

export interface Trial {
  readonly ok: boolean;
  /** What came of it, in one sentence that says what to do if it went wrong. */
  readonly verdict: string;
  /** The path whose answer says that the app is well, or `TCP`; null when nothing could be asked. */
  readonly health: string | null;
  /** The last lines of its output, when something went wrong. */
  readonly output: readonly string[];
}

export interface TrialOptions {
  readonly service: Service;
  /** What was asked for: a path, or `TCP`; null: whatever answers. */
  readonly health: string | null;
  /** Paths that may be asked instead, the likeliest first. */
  readonly others: readonly string[];
  /** Ports to take one from, both included. */
  readonly ports: { readonly from: number; readonly to: number };
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** A process under trial. */
interface Candidate {
  readonly port: number;
  readonly process: RunningProcess;
  readonly seen: { exit?: Exit };
}

/**
 * Starts the app once as an instance is started, on a free port, and sees whether it listens there and what answers; then ends it.
 * Nothing of it is left, whatever happens.
 * @throws the signal's reason when it is aborted; {HeimdallError} COMMAND_FAILED when it cannot be run at all.
 */
export async function tryApp(options: TrialOptions): Promise<Trial> {
  const { service, ports, env } = options;
  const port = await freePort(ports.from, ports.to);
  const folder = await mkdtemp(join(tmpdir(), 'heimdall-trial-'));
  try {
    const token = newToken();
    const plan = launchPlan(instanceOf(service, port), service, token, env, dirname(process.execPath));
    const started = await spawnProcess(plan, token, outputPaths(folder, service.name), Date.now);
    const candidate: Candidate = { port, process: started, seen: {} };
    void started.exited.then((exit) => {
      candidate.seen.exit = exit;
    });
    const trial = await judged(candidate, options).catch(async (error: unknown) => {
      await started.stop(0);
      throw error;
    });
    const isGone = await stopped(started);
    return isGone
      ? trial
      : {
          ...trial,
          verdict: `${trial.verdict}; it did not end on SIGTERM and was killed: let it finish what runs, and exit`,
        };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function judged(candidate: Candidate, { health, others, signal }: TrialOptions): Promise<Trial> {
  const problem = await untilListening(candidate, signal);
  const { process, port } = candidate;
  if (problem !== null) return { ok: false, verdict: problem, health: null, output: await process.tail() };
  const seconds = ((Date.now() - process.startedAt) / 1_000).toFixed(1);
  const listens = `it listens on its port after ${seconds} s`;
  const connects = await isAnswering(candidate, TCP, performance.now() + ELSEWHERE_MS, signal);
  if (!connects) {
    const verdict = `${listens}, but 127.0.0.1:${port} cannot be reached: have it listen on 127.0.0.1 or on all addresses`;
    return { ok: false, verdict, health: null, output: await process.tail() };
  }
  if (health === TCP) return { ok: true, verdict: listens, health, output: [] };
  const end = performance.now() + ANSWER_MS;
  for (const path of new Set([...(health === null ? [] : [health]), ...others, ...HEALTH_PATHS, '/'])) {
    if (!(await isAnswering(candidate, path, end, signal))) continue;
    const instead = health === null || path === health ? '' : `; ${health} does not, so that ${path} will be asked`;
    return { ok: true, verdict: `${listens} and answers ${path} with 2xx${instead}`, health: path, output: [] };
  }
  const verdict = `${listens}, but no path answers with 2xx, so that health checks will only connect; have it answer GET /health with 200 when it can serve, and set healthCheck.path`;
  return { ok: true, verdict, health: TCP, output: [] };
}

/** @returns what keeps it from listening on its port; null when it does. */
async function untilListening({ port, process, seen }: Candidate, signal: AbortSignal): Promise<string | null> {
  const end = performance.now() + START_MS;
  let elsewhereSince: number | null = null;
  for (;;) {
    signal.throwIfAborted();
    if (seen.exit) return `it ${describeExit(seen.exit, process.startedAt)}, before it listened`;
    const owner = await ownerOf(port, process.identity.pid);
    if (owner === 'group' || (owner === 'unknown' && !(await isPortFree(port)))) return null;
    const elsewhere = await portsOf(process.identity.pid);
    const now = performance.now();
    elsewhereSince = elsewhere.length === 0 ? null : (elsewhereSince ?? now);
    const [other] = elsewhere;
    if (other !== undefined && elsewhereSince !== null && now - elsewhereSince > ELSEWHERE_MS) {
      return `it listens on port ${elsewhere.join(' and ')} instead of the one it was given: ${howToListen(other)}`;
    }
    if (now > end) return `it does not listen on any port after ${START_MS / 1_000} s`;
    await sleep(POLL_MS);
  }
}

/** An app may listen before it can serve: what is no final answer is asked for again. @param end - of the clock of `performance`. */
async function isAnswering(
  { port, seen }: Candidate,
  health: string,
  end: number,
  signal: AbortSignal,
): Promise<boolean> {
  const check = HealthCheckSchema.parse(
    health === TCP ? { type: 'tcp' } : { path: health, timeout: '2s', expect: ['200-299'] },
  );
  while (performance.now() < end && !seen.exit) {
    signal.throwIfAborted();
    const { passed, cause } = await probe({ host: '127.0.0.1', port }, check, signal);
    if (passed) return true;
    if (/^status [1-4]/.test(cause)) return false;
    await sleep(POLL_MS);
  }
  return false;
}

/** @returns false when it took SIGKILL. */
async function stopped(process: RunningProcess): Promise<boolean> {
  const begun = performance.now();
  await process.stop(STOP_MS);
  return performance.now() - begun < STOP_MS;
}

async function freePort(from: number, to: number): Promise<number> {
  for (let port = from; port <= to; port += 1) if (await isPortFree(port)) return port;
  throw new Error(`no port from ${from} to ${to} is free`);
}

function instanceOf(service: Service, port: number): Instance {
  const { name } = service;
  return {
    id: `${name}-trial`,
    service: name,
    host: '127.0.0.1',
    port,
    weight: 1,
    ...UNSPAWNED,
    lifecycle: 'starting',
    startedAt: null,
  };
}
