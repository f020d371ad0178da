import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { isPortFree } from '../../internal/server/bind-probe.ts';
import { engineName } from './engines.ts';
import { type Answer, type Ask, ask } from './e2e-http.ts';
import { claimPorts, type PortBlock } from './e2e-ports.ts';
import { COMPILE_CACHE, livesIn, mainOf, StartedProcess } from './e2e-process.ts';
import { eventually } from './e2e-wait.ts';

type Json = Readonly<Record<string, unknown>>;

interface Sections extends Json {
  readonly proxy?: Json;
}

const InstanceSchema = z.object({
  id: z.string(),
  port: z.int(),
  pid: z.int().nullable(),
  status: z.string(),
  restarts: z.int(),
});
type ListedInstance = z.infer<typeof InstanceSchema>;

const UpstreamSchema = z.object({
  id: z.string(),
  url: z.string(),
  lifecycle: z.string(),
  health: z.string(),
  inFlight: z.int(),
});

/** What both processes tell of themselves that the tests look at. */
const StatusSchema = z.object({
  pid: z.int(),
  /** Of the load balancer alone. */
  engine: z.string().optional(),
  registry: z.object({ available: z.boolean().optional() }),
  services: z.array(z.object({ name: z.string(), algorithm: z.string(), inFlight: z.int().optional() })),
});

/** A service of sample backends, with times that suit a test on a busy machine. */
export function sampleService(changes: Json = {}): Json {
  return {
    name: 'web',
    command: ['node', mainOf('test-server')],
    instances: 2,
    env: COMPILE_CACHE,
    readiness: { interval: '50ms', deadline: '60s' },
    healthCheck: { interval: '250ms', timeout: '3s' },
    drainTimeout: '15s',
    stopTimeout: '10s',
    ...changes,
  };
}

/** heimdall in a folder and on ports of its own. What was started through it has ended when it is disposed of, or that fails. */
export class System implements AsyncDisposable {
  readonly dir: string;
  readonly ports: PortBlock;
  readonly #started: StartedProcess[] = [];
  #config: Json;

  private constructor(dir: string, ports: PortBlock, config: Json) {
    this.dir = dir;
    this.ports = ports;
    this.#config = config;
  }

  /** @param config - sections of `config.json`; addresses and ports are filled in. */
  static async create(
    config: (ports: PortBlock) => Sections = () => ({ services: [sampleService()] }),
  ): Promise<System> {
    const ports = await claimPorts();
    const dir = await realpath(await mkdtemp(join(tmpdir(), 'heimdall-e2e-')));
    const { proxy, ...sections } = config(ports);
    const system = new System(dir, ports, {
      manager: { port: ports.manager },
      proxy: {
        host: '127.0.0.1',
        port: ports.proxy,
        engine: engineName(),
        admin: { port: ports.admin },
        accessLog: null,
        ...proxy,
      },
      ports: { from: ports.from, to: ports.to },
    });
    await system.configure(sections);
    return system;
  }

  get configPath(): string {
    return join(this.dir, 'config.json');
  }

  get registryPath(): string {
    return join(this.dir, 'data', 'registry.db');
  }

  get api(): string {
    return `http://127.0.0.1:${this.ports.manager}`;
  }

  get proxy(): string {
    return `http://127.0.0.1:${this.ports.proxy}`;
  }

  get admin(): string {
    return `http://127.0.0.1:${this.ports.admin}`;
  }

  /** Replaces sections of the configuration file, in one step as editors do. */
  async configure(changes: Json): Promise<void> {
    this.#config = { ...this.#config, ...changes };
    await this.writeConfig(JSON.stringify(this.#config));
  }

  async readConfig(): Promise<string> {
    return readFile(this.configPath, 'utf8');
  }

  async writeConfig(text: string): Promise<void> {
    await writeFile(`${this.configPath}.new`, text);
    await rename(`${this.configPath}.new`, this.configPath);
  }

  start(name: 'server-manager' | 'load-balancer', ...args: readonly string[]): StartedProcess {
    return this.#run(mainOf(name), '--config', this.configPath, ...args);
  }

  heimdall(...args: readonly string[]): StartedProcess {
    return this.#run(mainOf('heimdall'), ...args);
  }

  backend(port: number): StartedProcess {
    const env = { SERVER_NAME: `backend-${port}` };
    return this.track(StartedProcess.backend(port, { cwd: this.dir, env }));
  }

  track(started: StartedProcess): StartedProcess {
    this.#started.push(started);
    return started;
  }

  /** `heimdall up`, with so many instances in rotation. */
  async up(instances: number): Promise<StartedProcess> {
    const up = this.heimdall('up');
    await up.printed('Ctrl-C drains and stops everything.');
    await this.inRotation(instances);
    return up;
  }

  /** Manager and load balancer, with so many instances in rotation. */
  async startBoth(instances: number): Promise<{ manager: StartedProcess; loadBalancer: StartedProcess }> {
    const both = { manager: this.start('server-manager'), loadBalancer: this.start('load-balancer') };
    await Promise.all([both.manager.isReady(), both.loadBalancer.isReady()]);
    await this.inRotation(instances);
    return both;
  }

  /** Resolves when exactly so many instances get traffic. */
  async inRotation(count: number): Promise<void> {
    await eventually(
      () => `${count} in rotation; output:\n${this.output()}`,
      async () => {
        const upstreams = await this.upstreams();
        return upstreams.length === count && upstreams.every(isInRotation);
      },
    );
  }

  async list(): Promise<ListedInstance[]> {
    return z.array(InstanceSchema).parse(await json(`${this.api}/servers/list`));
  }

  async add(body: Json = {}): Promise<Answer> {
    return ask(`${this.api}/servers/add`, { method: 'POST', body });
  }

  async remove(port: number): Promise<Answer> {
    return ask(`${this.api}/servers/remove?port=${port}`, { method: 'DELETE' });
  }

  async upstreams(): Promise<z.infer<typeof UpstreamSchema>[]> {
    return z.array(UpstreamSchema).parse(await json(`${this.admin}/upstreams`));
  }

  async managerStatus(): Promise<z.infer<typeof StatusSchema>> {
    return StatusSchema.parse(await json(`${this.api}/status`));
  }

  async proxyStatus(): Promise<z.infer<typeof StatusSchema>> {
    return StatusSchema.parse(await json(`${this.admin}/status`));
  }

  /** Through the load balancer. */
  async get(path = '/', options: Ask = {}): Promise<Answer> {
    return ask(`${this.proxy}${path}`, options);
  }

  /** The server that answers the next request, or the failure in words. */
  async answering(options: Ask = {}): Promise<string> {
    const { status, headers, body } = await this.get('/', options);
    return status === 200 ? String(headers['x-server']) : `${status} ${body}`;
  }

  /** Everything of this run that is still there; empty after an ordered stop. */
  async remains(): Promise<string[]> {
    const { admin, manager, proxy, own, from, to } = this.ports;
    const instancePorts = Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const ports = [manager, proxy, admin, ...own, ...instancePorts];
    const taken = await Promise.all(ports.map(async (port) => ((await isPortFree(port)) ? [] : [`port ${port}`])));
    const data = await readdir(join(this.dir, 'data')).catch(() => []);
    return [
      ...(await this.#livingPids()).map((pid) => `process ${pid}`),
      ...taken.flat(),
      ...data.filter((name) => name.includes('lock')),
    ];
  }

  /** Resolves when nothing remains; for processes that end by themselves. */
  async untilNothingRemains(): Promise<void> {
    await eventually('everything has ended', async () => (await this.remains()).length === 0).catch(async () => {
      assert.deepEqual(await this.remains(), [], this.output());
    });
  }

  /** Ends what still runs, in the order in which it was started: the manager goes before the load balancer. */
  async stop(): Promise<void> {
    for (const started of this.#started) await started.stop();
  }

  /** @throws when anything is left after an ordered stop; it is gone all the same. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.stop();
      assert.deepEqual(await this.remains(), [], `left behind; output:\n${this.output()}`);
    } finally {
      for (const started of this.#started) started.kill('SIGKILL');
      for (const pid of await this.#livingPids()) process.kill(pid, 'SIGKILL');
      await Promise.all(this.#started.map(({ exited }) => exited));
      await this.ports.release();
      await rm(this.dir, { recursive: true, force: true });
    }
  }

  #run(...args: readonly string[]): StartedProcess {
    return this.track(new StartedProcess([process.execPath, ...args], { cwd: this.dir }));
  }

  /** Of all processes, and of those that took their places. */
  output(): string {
    return this.#started.map(({ output }) => output).join('\n');
  }

  /** Every process has told its pid: heimdall's own in each log line, instances in the first line of their output. */
  async #livingPids(): Promise<number[]> {
    const logDir = join(this.dir, 'data', 'logs');
    const logs = await Promise.all(
      (await readdir(logDir).catch(() => [])).map((name) => readFile(join(logDir, name), 'utf8')),
    );
    const told = [this.output(), ...logs].flatMap((text) => [...text.matchAll(/"pid":(\d+)|\(pid (\d+)\)/g)]);
    const pids = new Set([...this.#started.map(({ pid }) => pid), ...told.map(([, a, b]) => Number(a ?? b))]);
    return [...pids].filter((pid) => livesIn(pid, this.dir));
  }
}

function isInRotation({ lifecycle, health }: z.infer<typeof UpstreamSchema>): boolean {
  return lifecycle === 'ready' && health === 'healthy';
}

async function json(url: string): Promise<unknown> {
  const { status, body } = await ask(url);
  assert.equal(status, 200, body);
  return JSON.parse(body);
}
