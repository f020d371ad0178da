import type { AlertView, ChannelView, RuleView, SilenceView, TestResultView } from '../model/alert-view.ts';
import type { DeploymentDetailsView, DeploymentView } from '../model/deployment-view.ts';
import type { EventView } from '../model/event-view.ts';
import type { InstanceView } from '../model/instance-view.ts';
import type { LiveState } from '../model/live.ts';
import type { ManagerStatus } from '../model/manager-status.ts';
import type { NodeView } from '../model/node-view.ts';
import type { ServiceDetailsView, ServiceView } from '../model/service-view.ts';

const MORNING = '2026-03-02T08:00:00.000Z';
const A_MINUTE_LATER = '2026-03-02T08:01:00.000Z';

/** What answers look like: for the description of the API. */
export const INSTANCE: InstanceView = {
  id: 'web-9000',
  service: 'web',
  host: '127.0.0.1',
  node: 'host-a',
  port: 9000,
  url: 'http://127.0.0.1:9000',
  pid: 4711,
  status: 'running',
  health: 'healthy',
  weight: 1,
  version: 'v1',
  startedAt: MORNING,
  restarts: 0,
  memory: 61_341_696,
  cpu: 1.5,
};

/** An instance that an agent has announced. */
export const ANNOUNCED: InstanceView = {
  id: 'shop-8080-x1y2z3',
  service: 'shop',
  host: '10.0.0.7',
  node: 'host-b',
  port: 8080,
  url: 'http://10.0.0.7:8080',
  pid: null,
  status: 'running',
  health: 'unknown',
  weight: 1,
  version: null,
  startedAt: MORNING,
  restarts: 0,
  agent: { id: 'host-b', metadata: {} },
};

export const NODE: NodeView = {
  name: 'host-a',
  self: true,
  url: 'http://10.0.0.5:7000',
  address: '10.0.0.5',
  version: '0.1.0',
  services: ['web'],
  instances: 3,
  cores: 4,
  load: 0.12,
  pid: 4700,
  startedAt: MORNING,
  alive: true,
  awaySince: null,
};

export const DEPLOYMENT: DeploymentView = {
  id: 3,
  service: 'web',
  kind: 'deploy',
  state: 'succeeded',
  version: 'v2',
  release: { deployment: 3, version: 'v2', variant: null, env: ['API_KEY'] },
  previous: { deployment: 2, version: 'v1', variant: null, env: [] },
  by: 'ann',
  nodes: [{ node: 'a', state: 'succeeded', version: 'v2' }],
  createdAt: MORNING,
  startedAt: MORNING,
  finishedAt: A_MINUTE_LATER,
};

export const DEPLOYMENT_DETAILS: DeploymentDetailsView = {
  ...DEPLOYMENT,
  steps: [{ at: MORNING, node: 'a', message: 'web-9003 is started in place of web-9000', instance: 'web-9003' }],
};

export const SERVICE: ServiceView = {
  name: 'web',
  algorithm: 'round-robin',
  desired: 3,
  starting: 0,
  running: 3,
  draining: 0,
  error: 0,
  declared: 0,
  announced: 0,
  spawned: true,
  maxConnections: null,
  weight: 1,
  overridden: [],
  version: 'v2',
  release: DEPLOYMENT.release,
  deploying: null,
  pausedSince: null,
};

export const SERVICE_DETAILS: ServiceDetailsView = {
  ...SERVICE,
  routes: [{ host: '*', path: '/', rateLimit: null }],
  versions: [],
  instances: [INSTANCE],
  deployments: [DEPLOYMENT],
};

export const STATUS: ManagerStatus = {
  status: 'ok',
  version: '0.1.0',
  pid: 4700,
  startedAt: MORNING,
  uptimeMs: 60_000,
  registry: { revision: 12 },
  services: [
    {
      name: 'web',
      algorithm: 'round-robin',
      desired: 3,
      starting: 0,
      running: 3,
      draining: 0,
      error: 0,
      declared: 0,
      announced: 0,
    },
  ],
  loadBalancers: [{ id: 'lb-1', pid: 4701, startedAt: MORNING, appliedRevision: 12, heartbeatAgeMs: 350, alive: true }],
  nodes: [NODE],
};

export const EVENT: EventView = {
  id: 41,
  at: MORNING,
  type: 'instance.ready',
  service: 'web',
  instanceId: 'web-9000',
  message: 'web-9000 is ready',
  data: { port: 9000 },
};

export const ALERT: AlertView = {
  id: '1',
  key: 'instance-down:web-9000',
  state: 'active',
  severity: 'critical',
  title: 'web-9000 is down',
  cause: 'connection refused',
  service: 'web',
  instance: 'web-9000',
  node: null,
  since: MORNING,
  resolvedAt: null,
  durationMs: 60_000,
  announced: true,
  silenced: false,
  acknowledged: null,
};

export const SILENCE: SilenceView = {
  id: 1,
  match: { service: 'web' },
  createdAt: MORNING,
  until: '2026-03-02T10:00:00.000Z',
  by: 'ann',
  comment: 'moving',
};

export const CHANNEL: ChannelView = {
  name: 'chat',
  target: 'https://example.org',
  format: 'slack',
  severity: 'warning',
  services: [],
  at: MORNING,
  by: 'ann',
};

export const RULE: RuleView = {
  rule: 'disk',
  severity: 'warning',
  subject: 'data',
  state: 'ok',
  reading: '41% used',
};

export const TEST_RESULT: TestResultView = { channel: 'chat', ok: true, durationMs: 120 };

const TRAFFIC = { rps: 120, errorRate: 0, p50: 3.1, p95: 8.4, p99: 12.9, inFlight: 2 };

export const LIVE_STATE: LiveState = {
  at: A_MINUTE_LATER,
  version: STATUS.version,
  revision: STATUS.registry.revision,
  loadBalancers: STATUS.loadBalancers,
  nodes: STATUS.nodes,
  services: [{ ...SERVICE, waiting: 0, traffic: TRAFFIC }],
  instances: [{ ...INSTANCE, healthCause: 'passed', drain: null, traffic: TRAFFIC }],
  deployments: [DEPLOYMENT_DETAILS],
  alerts: [],
  silences: [],
  events: [EVENT],
};
