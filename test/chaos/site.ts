import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Answer, ask } from '../support/e2e-http.ts';
import { mainOf, StartedProcess } from '../support/e2e-process.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';
import { MovingProcess } from './moving-process.ts';
import { INSTANCES } from './schedule.ts';

const THREAD_KILLER = join(import.meta.dirname, 'thread-killer.ts');
const WebSchema = z.object({ algorithm: z.string(), versions: z.array(z.string()) });
const DeploymentSchema = z.object({ id: z.int(), state: z.string(), reason: z.string().optional() });

/** What may be changed live, back and forth. */
const ALGORITHMS = ['least-time', 'round-robin', 'least-connections', 'random-two-choices', 'ip-url-hash'] as const;

/** heimdall with two services of sample backends, and its two processes, which may be killed and come back. */
export class ChaosSite implements AsyncDisposable {
  readonly system: System;
  readonly manager: MovingProcess;
  readonly loadBalancer: MovingProcess;
  #changes = 0;

  private constructor(system: System) {
    this.system = system;
    const { api, admin, dir } = system;
    this.manager = new MovingProcess(() => system.start('server-manager'), `${api}/reload`, dir);
    this.loadBalancer = new MovingProcess(() => startLoadBalancer(system), `${admin}/reload`, dir);
  }

  static async start(threads: number): Promise<ChaosSite> {
    const system = await System.create(() => ({
      proxy: { engine: 'wire', threads },
      services: services('least-time', 'change-0'),
    }));
    try {
      const site = new ChaosSite(system);
      await Promise.all([site.manager.start(), site.loadBalancer.start()]);
      await system.inRotation(INSTANCES.web + INSTANCES.shop);
      return site;
    } catch (error) {
      await system[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Another request to the manager's API. */
  api(method: string, path: string, body?: unknown): Promise<Answer> {
    return ask(`${this.system.api}${path}`, { method, ...(body === undefined ? {} : { body }) });
  }

  /** How many threads of load balancers were ended from outside. */
  async endedThreads(): Promise<number> {
    const { size } = await stat(join(this.system.dir, 'ended-threads')).catch(() => ({ size: 0 }));
    return size;
  }

  /** Begins a deployment, and sees it to its end. @returns the state in which it ended. */
  async deploy(service: string, verb: string, body: unknown): Promise<string> {
    const begun = await this.api('POST', `/services/${service}/${verb}?queue=true`, body);
    if (begun.status !== 202) throw new Error(`${verb}: ${begun.status} ${begun.body}`);
    const { id } = DeploymentSchema.parse(JSON.parse(begun.body));
    const over = await eventually(
      `deployment ${id} to be over`,
      async () => {
        const { body: text } = await this.api('GET', `/deployments/${id}`);
        const { state, reason } = DeploymentSchema.parse(JSON.parse(text));
        return OVER.has(state) ? `${state}${reason === undefined ? '' : `: ${reason}`}` : null;
      },
      120_000,
    );
    return over;
  }

  /** Another algorithm. Resolves when both processes go by it. */
  async reconfigure(): Promise<void> {
    this.#changes += 1;
    const version = `change-${this.#changes}`;
    const configured = ALGORITHMS[this.#changes % ALGORITHMS.length] ?? 'least-time';
    await this.system.configure({ services: services(configured, version) });
    await eventually(`${version} to be in force`, async () => {
      // Not always the configured one: it may be set by hand.
      const { algorithm, versions } = WebSchema.parse(JSON.parse((await this.api('GET', '/services/web')).body));
      const { services: pools } = await this.system.proxyStatus();
      return versions.includes(version) && pools.find(({ name }) => name === 'web')?.algorithm === algorithm;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.manager.stop();
    await this.loadBalancer.stop();
    await this.system[Symbol.asyncDispose]();
  }

  /** Resolves when as many instances as wanted are there and get traffic, and no more. */
  async isWell(): Promise<void> {
    await eventually(
      'everything is well again',
      async () => {
        const wanted = z
          .array(z.object({ desired: z.int(), deploying: z.int().nullable() }))
          .parse(JSON.parse((await this.api('GET', '/services')).body));
        if (wanted.some(({ deploying }) => deploying !== null)) return false;
        const count = wanted.reduce((sum, { desired }) => sum + desired, 0);
        const upstreams = await this.system.upstreams();
        return (
          upstreams.length === count &&
          upstreams.every(({ health, lifecycle }) => health === 'healthy' && lifecycle === 'ready')
        );
      },
      60_000,
    );
  }
}

/** With a thread that can be ended from outside. */
function startLoadBalancer(system: System): StartedProcess {
  const args = ['--import', THREAD_KILLER, mainOf('load-balancer'), '--config', system.configPath];
  return system.track(new StartedProcess([process.execPath, ...args], { cwd: system.dir }));
}

const OVER = new Set(['succeeded', 'rolled-back', 'failed']);

/** @param version - one that tells which configuration is in force; nobody deploys it. */
function services(algorithm: string, version: string): unknown[] {
  const common = {
    drainTimeout: '20s',
    healthCheck: { interval: '500ms', timeout: '3s' },
    rollout: { minHealthy: '500ms' },
    slowStart: '2s',
    versions: {
      v1: {},
      v2: { env: { COLOUR: 'green' } },
      bad: { command: ['node', '-e', 'throw new Error("no such table")'] },
      [version]: {},
    },
  };
  return [
    sampleService({ name: 'web', instances: INSTANCES.web, algorithm, ...common }),
    sampleService({
      name: 'shop',
      instances: INSTANCES.shop,
      algorithm: 'sticky-round-robin',
      routes: [{ path: '/shop' }],
      ...common,
    }),
  ];
}
