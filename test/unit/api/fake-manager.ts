import type { Express } from 'express';
import type { ApiOptions } from '../../../internal/api/app.ts';
import { Deed } from '../../../internal/api/deed.ts';
import type { Manager } from '../../../internal/api/manager.ts';
import { EventCounts } from '../../../internal/server/event-counts.ts';
import { instanceNotFound } from '../../../internal/server/instance-named.ts';
import { InstanceLogs } from '../../../internal/server/instance-logs.ts';
import type { Deployment } from '../../../internal/model/deployment.ts';
import type { WholeDeployment } from '../../../internal/model/whole-deployment.ts';
import { type Instance, viewOf } from '../../../internal/model/instance.ts';
import { FIRST_RELEASE } from '../../../internal/model/release.ts';
import { ServiceSchema } from '../../../internal/model/service.ts';
import type { Snapshot } from '../../../internal/registry/registry.ts';
import type { ClaimedRequest, KeptAnswer, RequestClaim, RequestKeys } from '../../../internal/registry/request-keys.ts';
import { routeViewOf, serviceViewOf } from '../../../internal/server/service-views.ts';
import type { AuditRecord } from '../../../internal/server/journal.ts';
import type { AddRequest } from '../../../internal/server/add.ts';
import type { ManagerStatus } from '../../../internal/model/manager-status.ts';
import { TargetGuard } from '../../../pkg/alerts/target-guard.ts';
import type { AlertBook } from '../../../pkg/alerts/book.ts';
import type { TestResult } from '../../../pkg/alerts/channels.ts';
import { createLogger, type Logger } from '../../../pkg/logger/logger.ts';
import { liveState } from '../../support/live-state.ts';
import { heldToDescription } from '../../support/described-answers.ts';
import { FakeAlertBook } from './fake-alert-book.ts';

export const silent = createLogger({ name: 'test', level: 'silent', pretty: false });

export const STATUS: ManagerStatus = {
  status: 'ok',
  version: '1.2.3',
  pid: 1,
  startedAt: '2026-01-01T00:00:00.000Z',
  uptimeMs: 5,
  registry: { revision: 7 },
  services: [],
  loadBalancers: [],
  nodes: [],
};

export function instance(port: number, changes: Partial<Instance> = {}): Instance {
  return {
    id: `web-${port}`,
    service: 'web',
    host: '127.0.0.1',
    port,
    node: null,
    agent: null,
    weight: 1,
    version: null,
    lifecycle: 'ready',
    process: { pid: port + 1, startTime: '1', bootId: 'b', token: 't' },
    env: {},
    startedAt: Date.UTC(2026, 0, 1),
    variant: null,
    deployment: null,
    restarts: 0,
    lastError: null,
    ...changes,
  };
}

/** Records every call; `answers` replaces what a method does. */
export class FakeManager implements Manager {
  readonly calls: [method: string, ...args: unknown[]][] = [];
  readonly services: Manager['services'];
  readonly instances: Manager['instances'];
  readonly announced: Manager['announced'];
  readonly nodes: Manager['nodes'];
  readonly eventCounts = new EventCounts();
  readonly requestKeys = new FakeRequestKeys();
  readonly audits: AuditRecord[] = [];
  readonly live: Manager['live'];
  readonly #answers: Partial<Manager>;

  constructor(answers: Partial<Manager> = {}) {
    this.#answers = answers;
    this.live = answers.live ?? { join: () => () => {}, once: async () => liveState() };
    const call = (method: string, ...args: unknown[]) =>
      this.calls.push([method, ...args.filter((arg) => !(arg instanceof Deed))]);
    this.services = answers.services ?? fakeServices(call);
    this.nodes = answers.nodes ?? fakeNodes();
    this.instances = answers.instances ?? fakeInstances(call);
    this.announced = answers.announced ?? fakeAnnounced(call);
  }

  async add(request: AddRequest): Promise<Instance[]> {
    this.calls.push(['add', request]);
    if (this.#answers.add) return this.#answers.add(request);
    return Array.from({ length: request.count }, (_, i) => instance((request.port ?? 9000) + i));
  }

  async list(query?: Parameters<Manager['list']>[0]) {
    this.calls.push(['list', query]);
    if (this.#answers.list) return this.#answers.list(query);
    return [viewOf(instance(9000), 'healthy'), viewOf(instance(9001), 'unhealthy')];
  }

  async remove(name: string | number, options: { readonly force: boolean }) {
    this.calls.push(['remove', name, options]);
    if (this.#answers.remove) return this.#answers.remove(name, options);
    if (!['9000', 'web-9000'].includes(String(name))) throw instanceNotFound(String(name));
    return viewOf(instance(9000, { lifecycle: 'stopped', process: null }), 'unknown');
  }

  async logs(id: string, query: Parameters<Manager['logs']>[1]) {
    this.calls.push(['logs', id, query]);
    if (this.#answers.logs) return this.#answers.logs(id, query);
    return { logs: new InstanceLogs('/nowhere', 'web-9000', query), gone: AbortSignal.abort() };
  }

  async status(): Promise<ManagerStatus> {
    this.calls.push(['status']);
    if (this.#answers.status) return this.#answers.status();
    return STATUS;
  }

  async audit(record: AuditRecord): Promise<void> {
    this.audits.push(record);
  }

  async events(query: Parameters<Manager['events']>[0]) {
    this.calls.push(['events', query]);
    if (this.#answers.events) return this.#answers.events(query);
    return [];
  }
}

/** Of a manager that is alone; `changes` make it one of several. */
export function fakeNodes(changes: Partial<Manager['nodes']> = {}): Manager['nodes'] {
  return {
    self: null,
    usualService: 'web',
    list: async () => [],
    forget: async (name) => ({ name, instances: ['web-9000'] }),
    peer: async () => null,
    keeperOf: async () => null,
    place: async () => new Map(),
    level: async () => new Map(),
    capable: async () => [],
    isFirst: async () => true,
    able: async () => [],
    ...changes,
  };
}

class FakeRequestKeys implements RequestKeys {
  readonly #claimed = new Map<string, ClaimedRequest>();

  async claim({ owner, key, fingerprint }: RequestClaim): Promise<ClaimedRequest | null> {
    const known = this.#claimed.get(`${owner} ${key}`);
    if (known === undefined) this.#claimed.set(`${owner} ${key}`, { fingerprint, answer: null, isOurs: true });
    return known ?? null;
  }

  async settle({ owner, key, fingerprint }: RequestClaim, answer: KeptAnswer): Promise<void> {
    this.#claimed.set(`${owner} ${key}`, { fingerprint, answer, isOurs: true });
  }

  async release({ owner, key }: RequestClaim): Promise<void> {
    this.#claimed.delete(`${owner} ${key}`);
  }

  async giveUp({ owner, key, fingerprint }: RequestClaim): Promise<void> {
    this.#claimed.set(`${owner} ${key}`, { fingerprint, answer: null, isOurs: false });
  }

  /** As if another manager had left it. */
  abandon(): void {
    for (const [key, claimed] of this.#claimed) this.#claimed.set(key, { ...claimed, isOurs: false });
  }
}

const PART: Deployment = {
  id: 3,
  service: 'web',
  kind: 'deploy',
  state: 'succeeded',
  release: { deployment: 3, version: 'v2', variant: null, env: { API_KEY: 'secret of a deploy' } },
  previous: FIRST_RELEASE,
  by: 'somebody',
  createdAt: Date.UTC(2026, 0, 1),
  startedAt: Date.UTC(2026, 0, 2),
  finishedAt: Date.UTC(2026, 0, 3),
  reason: null,
  node: null,
  nodes: [],
  givenUp: null,
};
export const DEPLOYMENT: WholeDeployment = { ...PART, parts: [PART] };

/** The service `web`, and deployment 3 of it. */
function fakeServices(call: (method: string, ...args: unknown[]) => void): Manager['services'] {
  const snapshot: Snapshot = { registryId: 'r', revision: 1, services: [], instances: [] };
  const web = ServiceSchema.parse({ name: 'web', command: ['x'] });
  const view = serviceViewOf(web, snapshot);
  const details = {
    ...view,
    routes: web.routes.map(routeViewOf),
    versions: [],
    instances: [],
    deployments: [DEPLOYMENT],
  };
  const called = <T>(method: string, answer: T) => {
    return async (...args: unknown[]): Promise<T> => {
      call(method, ...args);
      return answer;
    };
  };
  return {
    stopping: new AbortController().signal,
    list: called('services.list', [view]),
    get: called('services.get', details),
    patch: called('services.patch', details),
    pause: called('services.pause', details),
    resume: called('services.resume', details),
    deploy: called('services.deploy', DEPLOYMENT),
    restart: called('services.restart', DEPLOYMENT),
    rollback: called('services.rollback', DEPLOYMENT),
    deployments: called('services.deployments', [DEPLOYMENT]),
    deployment: called('services.deployment', {
      deployment: DEPLOYMENT,
      steps: [
        {
          id: 1,
          deployment: 3,
          at: Date.UTC(2026, 0, 2),
          message: 'started',
          instanceId: 'web-1',
          logTail: [],
          node: null,
        },
        {
          id: 2,
          deployment: 3,
          at: Date.UTC(2026, 0, 3),
          message: 'done',
          instanceId: null,
          logTail: ['a line'],
          node: null,
        },
      ],
    }),
  };
}

/** The instance on port 9000, announced by whoever asks. */
function fakeAnnounced(call: (method: string, ...args: unknown[]) => void): Manager['announced'] {
  const one = (agent: string) => instance(9000, { agent: { id: agent, metadata: {} }, process: null });
  return {
    async register(request, address) {
      call('announced.register', request, address);
      return [one(request.agent)];
    },
    async heartbeat(request) {
      call('announced.heartbeat', request);
      return { unknown: [], removed: [], ttlMs: 8_000, intervalMs: 2_000 };
    },
    async deregister(request, options) {
      call('announced.deregister', request, options);
      return { gone: [...request.instances], unknown: [], instances: [one(request.agent)] };
    },
  };
}

/** The instance on port 9000, and the one that takes its place. */
function fakeInstances(call: (method: string, ...args: unknown[]) => void): Manager['instances'] {
  const called = (method: string, port: number) => {
    return async (...args: unknown[]) => {
      call(method, ...args);
      return viewOf(instance(port), 'healthy');
    };
  };
  return {
    async get(name) {
      call('instances.get', name);
      if (/^\d+$/.test(name) && name !== '9000') throw instanceNotFound(name);
      return viewOf(instance(9000), 'healthy');
    },
    weigh: called('instances.weigh', 9000),
    restart: called('instances.restart', 9001),
  };
}

export interface TestApi {
  readonly manager?: Manager;
  readonly results?: TestResult[];
  readonly book?: AlertBook;
  readonly allowedNetworks?: readonly string[];
  readonly channelsChanged?: () => Promise<void>;
  readonly token?: () => string | undefined;
  readonly allowedHosts?: () => readonly string[];
  readonly dashboardFolder?: string;
  readonly log?: Logger;
}

/** The API; its answers are held against their descriptions. */
export function api(settings: TestApi = {}): Express {
  return heldToDescription(apiOptions(settings));
}

export function apiOptions({
  manager,
  results = [],
  book = new FakeAlertBook(),
  allowedNetworks = [],
  channelsChanged = async () => {},
  token = () => undefined,
  allowedHosts = () => [],
  dashboardFolder = 'no-dashboard',
  log = silent,
}: TestApi = {}): ApiOptions {
  return {
    manager: manager ?? new FakeManager(),
    alerts: {
      test: async () => results,
      rules: () => [],
      book,
      guard: () => new TargetGuard(allowedNetworks),
      channelsChanged,
    },
    reload: async () => ({ pid: 1, successor: 2 }),
    token,
    allowedHosts,
    dashboardFolder,
    log,
    version: '1.2.3',
  };
}
