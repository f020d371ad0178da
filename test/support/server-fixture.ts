import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isPortFree } from '../../internal/server/bind-probe.ts';
import { ServerManager, type ServerManagerOptions } from '../../internal/server/server-manager.ts';
import { type Service, ServiceSchema } from '../../internal/model/service.ts';
import { openManagerRegistry } from '../../internal/registry/sqlite/open-manager.ts';
import { openProxyRegistry } from '../../internal/registry/sqlite/open-proxy.ts';
import type { ProxyRegistry, RegistryWriter } from '../../internal/registry/registry.ts';
import type { Alert } from '../../pkg/alerts/alert.ts';
import { createLogger } from '../../pkg/logger/logger.ts';

export const APP = join(import.meta.dirname, 'server-app.cjs');

/** A service that runs the tiny backend, with times short enough for tests. */
export function service(overrides: Readonly<Record<string, unknown>> = {}): Service {
  return ServiceSchema.parse({
    name: 'web',
    command: ['node', APP],
    instances: 0,
    cwd: tmpdir(),
    readiness: { interval: '20ms', deadline: '60s' },
    healthCheck: { timeout: '5s' },
    drainTimeout: '20s',
    stopTimeout: '20s',
    ...overrides,
  });
}

/** Remembers what was raised, and which of that was resolved. */
export class AlertLog {
  readonly raised: Alert[] = [];
  readonly resolved: string[] = [];

  raise(alert: Alert): void {
    this.raised.push(alert);
  }

  resolve(key: string): void {
    if (this.raised.some((alert) => alert.key === key)) this.resolved.push(key);
  }
}

/** A temporary folder with a real registry in it; everything that is opened through it is ended with it. */
export class Site implements AsyncDisposable {
  readonly dir: string;
  readonly registry: RegistryWriter;
  readonly ports: { readonly from: number; readonly to: number };
  readonly alerts = new AlertLog();
  readonly log = createLogger({ name: 'test', level: 'silent' });
  readonly #managers: ServerManager[] = [];
  readonly #proxies: ProxyRegistry[] = [];

  private constructor(dir: string, registry: RegistryWriter, ports: Site['ports']) {
    this.dir = dir;
    this.registry = registry;
    this.ports = ports;
  }

  /** @param clock - of the registry; epoch milliseconds. */
  static async open(portCount = 20, clock: () => number = Date.now): Promise<Site> {
    const dir = await mkdtemp(join(tmpdir(), 'heimdall-server-'));
    const registry = await openManagerRegistry({ path: join(dir, 'registry.db'), clock });
    const from = await freeRange(portCount);
    return new Site(dir, registry, { from, to: from + portCount - 1 });
  }

  /** Not started yet. */
  manager(services: readonly Service[], options: Partial<ServerManagerOptions> = {}): ServerManager {
    const manager = new ServerManager({
      registry: this.registry,
      services,
      ports: this.ports,
      dataDir: this.dir,
      log: this.log,
      alerts: this.alerts,
      baseEnv: process.env,
      version: '1.2.3',
      ...options,
    });
    this.#managers.push(manager);
    return manager;
  }

  async started(services: readonly Service[], options: Partial<ServerManagerOptions> = {}): Promise<ServerManager> {
    const manager = this.manager(services, options);
    await manager.start();
    await manager.settled();
    return manager;
  }

  /** What a load balancer writes. */
  proxy(proxyId = 'lb-1', clock: () => number = Date.now): ProxyRegistry {
    const proxy = openProxyRegistry({ path: join(this.dir, 'registry.db'), proxyId, pid: process.pid, clock });
    this.#proxies.push(proxy);
    return proxy;
  }

  async desired(name = 'web'): Promise<number | undefined> {
    return (await this.registry.snapshot()).services.find(({ service: of }) => of === name)?.desired;
  }

  async eventTypes(): Promise<string[]> {
    return (await this.registry.events({ limit: 1_000 })).map(({ type }) => type).reverse();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of this.#proxies) await proxy.withdraw(); // or a drain would wait for its answer
    for (const manager of this.#managers) await manager.stop({ keep: false });
    // Whatever a manager that was stopped with `keep` has left is taken over and ended.
    const last = this.manager([]);
    await last.start();
    await last.stop({ keep: false });
    for (const proxy of this.#proxies) await proxy.close();
    await this.registry.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Asks again and again, because nobody tells. */
export async function until<T>(what: string, ask: () => Promise<T> | T, limitMs = 60_000): Promise<NonNullable<T>> {
  const end = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`still not: ${what}`);
    await sleep(20);
  }
}

/** Whether a process runs; zombies do not. */
export function isAlive(pid: number | null | undefined): boolean {
  if (!pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The first of `count` ports in a row that nobody uses, below the range that the system hands out. */
export async function freeRange(count: number): Promise<number> {
  for (;;) {
    const from = 20_000 + Math.floor(Math.random() * 10_000);
    const ports = Array.from({ length: count }, (_, offset) => from + offset);
    if ((await Promise.all(ports.map((port) => isPortFree(port)))).every(Boolean)) return from;
  }
}
