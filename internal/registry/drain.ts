import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, isRegistryAway, type ProxyRecord, type RegistryReader } from './registry.ts';

const POLL_MS = 20;

type DrainOutcome = 'drained' | 'timeout' | 'cut short';

/** When a drain began, and when it is given up; epoch milliseconds. */
export interface DrainSpan {
  readonly since: number;
  readonly until: number;
}

interface DrainOptions {
  readonly registry: Pick<RegistryReader, 'proxies'>;
  readonly instanceId: string;
  /** Of the change that marked the instance as draining. */
  readonly revision: number;
  readonly timeoutMs: number;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Ends the wait early. */
  readonly signal: AbortSignal;
}

/**
 * Whether no request can be on its way to a draining instance any more: every live load balancer has the revision in force
 * and none counts a request in flight. A load balancer whose heartbeat is too old is gone and blocks nothing; one that has
 * no picture yet may be reading an older one this moment.
 */
export function isDrained(proxies: readonly ProxyRecord[], instanceId: string, revision: number, now: number): boolean {
  return proxies
    .filter((proxy) => isAlive(proxy, now))
    .every((proxy) => (proxy.appliedRevision ?? -1) >= revision && (proxy.inFlight.get(instanceId) ?? 0) === 0);
}

/** The acknowledged drain. A registry that cannot be read acknowledges nothing: the deadline decides then. */
export async function waitUntilDrained(options: DrainOptions): Promise<DrainOutcome> {
  const { registry, instanceId, revision, timeoutMs, clock, signal } = options;
  const end = performance.now() + timeoutMs;
  while (!signal.aborted) {
    if (isDrained(await readProxies(registry), instanceId, revision, clock())) return 'drained';
    const left = end - performance.now();
    if (left <= 0) return 'timeout';
    await sleep(Math.min(POLL_MS, left), undefined, { signal }).catch(() => {});
  }
  return 'cut short';
}

/**
 * Resolves when every living load balancer has the revision in force, at the latest after the time; until then some may
 * still do as before.
 */
export async function untilApplied(
  registry: Pick<RegistryReader, 'proxies'>,
  revision: number,
  timeoutMs: number,
  clock: () => number,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  const isApplied = (proxies: readonly ProxyRecord[]) =>
    proxies.every((proxy) => !isAlive(proxy, clock()) || (proxy.appliedRevision ?? -1) >= revision);
  while (!isApplied(await readProxies(registry)) && performance.now() < end) await sleep(POLL_MS);
}

/** Stands for load balancers that may be there, when the registry cannot tell. */
const UNKNOWN: ProxyRecord = {
  id: '',
  pid: 0,
  startedAt: 0,
  heartbeatAt: Number.POSITIVE_INFINITY,
  appliedRevision: null,
  inFlight: new Map(),
};

async function readProxies(registry: DrainOptions['registry']): Promise<readonly ProxyRecord[]> {
  try {
    return await registry.proxies();
  } catch (error) {
    if (isRegistryAway(error)) return [UNKNOWN];
    throw error;
  }
}
