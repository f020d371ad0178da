import { type AlertRecord, isSilenced, type Silence } from '../../pkg/alerts/book.ts';
import { SEVERITIES } from '../../pkg/alerts/alert.ts';
import { type Family, type NumberFamily, single } from '../../pkg/metrics/family.ts';
import type { LoopReading } from '../../pkg/metrics/loop-reading.ts';
import { processFamilies } from '../../pkg/metrics/process-families.ts';
import type { EventType } from '../model/event.ts';
import type { InstanceView } from '../model/instance-view.ts';
import type { EventCounts } from '../server/event-counts.ts';
import type { ManagerStatus } from '../model/manager-status.ts';
import type { NodeView } from '../model/node-view.ts';
import type { ServiceView } from '../model/service-view.ts';

/** What the registry tells at one moment. */
export interface ManagerFacts {
  readonly status: ManagerStatus;
  readonly services: readonly ServiceView[];
  readonly instances: readonly InstanceView[];
  /** Those that are active. */
  readonly alerts: readonly AlertRecord[];
  readonly silences: readonly Silence[];
  /** Epoch milliseconds. */
  readonly now: number;
}

type Kind = NumberFamily['kind'];

const STATES = ['starting', 'running', 'draining', 'error'] as const;
/** Of an instance that an agent stands for; error: it says that its app is down. */
const ANNOUNCED_STATES = ['running', 'draining', 'error'] as const;

const EVENTS: readonly (readonly [name: string, help: string, types: readonly EventType[]])[] = [
  ['drains', 'Instances whose removal began.', ['instance.draining']],
  ['process_exits', 'Processes that ended without being told to.', ['instance.exited', 'instance.lost']],
  ['failed_starts', 'Instances that did not get ready.', ['instance.start-failed']],
];
const RESULTS = [
  ['succeeded', 'deployment.succeeded'],
  ['rolled-back', 'deployment.rolled-back'],
  ['failed', 'deployment.failed'],
] as const satisfies readonly (readonly [string, EventType])[];

/** What is known without the registry: how the process fares. */
export function aloneFamilies(version: string, available: boolean, loop: LoopReading): Family[] {
  return [
    {
      kind: 'gauge',
      name: 'heimdall_manager_info',
      help: 'Always 1; the label tells what runs.',
      samples: [{ labels: { version }, value: 1 }],
    },
    ...processFamilies(loop),
    single('gauge', 'heimdall_registry_available', 'Whether the registry can be used: 1.', available ? 1 : 0),
  ];
}

/** What only the manager knows of services and instances; what their requests tell, the load balancers do. */
export function managerFamilies(facts: ManagerFacts, counts: EventCounts): Family[] {
  const { status, services, instances } = facts;
  const { revision } = status.registry;
  return [
    single('gauge', 'heimdall_registry_revision', 'Grows by one with every change of desired state.', revision),
    ...stateFamilies(services, instances),
    ...eventFamilies(services, counts),
    ...instanceFamilies(ownInstances(status, instances)),
    ...loadBalancerFamilies(status),
    ...nodeFamilies(status),
    alertFamily(facts),
  ];
}

function stateFamilies(services: readonly ServiceView[], instances: readonly InstanceView[]): Family[] {
  const of = (name: string, help: string, read: (service: ServiceView) => number): Family => {
    const samples = services.map((service) => ({ labels: { service: service.name }, value: read(service) }));
    return { kind: 'gauge', name: `heimdall_service_${name}`, help, samples };
  };
  const agents = Map.groupBy(
    instances.filter(({ agent }) => agent !== undefined),
    ({ service }) => service,
  );
  const announced = (service: string, state: string) =>
    (agents.get(service) ?? []).filter(({ status }) => status === state).length;
  return [
    of('desired_instances', 'How many spawned instances there shall be.', ({ desired }) => desired),
    of('declared_instances', 'Listed under servers in the configuration.', ({ declared }) => declared),
    {
      kind: 'gauge',
      name: 'heimdall_service_instances',
      help: 'Spawned instances by state; error: they wait to be started again.',
      samples: services.flatMap((service) =>
        STATES.map((state) => {
          const value = Math.max(0, service[state] - announced(service.name, state));
          return { labels: { service: service.name, state }, value };
        }),
      ),
    },
    {
      kind: 'gauge',
      name: 'heimdall_service_announced_instances',
      help: 'Instances that agents stand for, by state; error: the agent says that its app is down.',
      samples: services.flatMap(({ name }) =>
        ANNOUNCED_STATES.map((state) => ({ labels: { service: name, state }, value: announced(name, state) })),
      ),
    },
    of('deploying', 'Whether a deployment is under way: 1.', ({ deploying }) => (deploying === null ? 0 : 1)),
  ];
}

function eventFamilies(services: readonly ServiceView[], counts: EventCounts): Family[] {
  const since = 'since the manager started.';
  return [
    ...EVENTS.map(([name, help, types]): Family => {
      const sum = (service: string) => types.reduce((before, type) => before + counts.of(service, type), 0);
      const samples = services.map((service) => ({ labels: { service: service.name }, value: sum(service.name) }));
      return {
        kind: 'counter',
        name: `heimdall_service_${name}_total`,
        help: `${help.slice(0, -1)}, ${since}`,
        samples,
      };
    }),
    {
      kind: 'counter',
      name: 'heimdall_service_deployments_total',
      help: `Deployments that are over, ${since}`,
      samples: services.flatMap(({ name }) =>
        RESULTS.map(([result, type]) => ({ labels: { service: name, result }, value: counts.of(name, type) })),
      ),
    },
  ];
}

/** Those of its node: another node's manager tells of the others, and nobody shall add them up twice. */
function ownInstances({ nodes }: ManagerStatus, instances: readonly InstanceView[]): readonly InstanceView[] {
  const own = nodes.find(({ self }) => self);
  return own === undefined ? instances : instances.filter(({ node }) => node === null || node === own.name);
}

function instanceFamilies(instances: readonly InstanceView[]): Family[] {
  const of = (
    kind: Kind,
    name: string,
    help: string,
    read: (instance: InstanceView) => number | undefined,
  ): Family => ({
    kind,
    name: `heimdall_instance_${name}`,
    help,
    samples: instances.flatMap((instance) => {
      const value = read(instance);
      return value === undefined ? [] : [{ labels: { service: instance.service, instance_id: instance.id }, value }];
    }),
  });
  return [
    of('counter', 'restarts_total', 'Starts after a fault.', ({ restarts }) => restarts),
    of('gauge', 'cpu_usage_cores', 'Cores in use, by all its processes.', ({ cpu }) => cpu && cpu / 100),
    of('gauge', 'resident_memory_bytes', 'Of all its processes.', ({ memory }) => memory),
  ];
}

function loadBalancerFamilies({ registry, loadBalancers }: ManagerStatus): Family[] {
  const alive = loadBalancers.filter((each) => each.alive);
  const lagOf = (applied: number | null) => Math.max(0, registry.revision - (applied ?? 0));
  return [
    single('gauge', 'heimdall_load_balancers', 'Load balancers that show signs of life.', alive.length),
    {
      kind: 'gauge',
      name: 'heimdall_load_balancer_revision_lag',
      help: 'Revisions of the registry that the load balancer has not in force yet.',
      samples: alive.map(({ id, appliedRevision }) => ({
        labels: { load_balancer: id },
        value: lagOf(appliedRevision),
      })),
    },
  ];
}

function nodeFamilies({ nodes }: ManagerStatus): Family[] {
  const of = (name: string, help: string, read: (node: NodeView) => number): Family => {
    return {
      kind: 'gauge',
      name,
      help,
      samples: nodes.map((node) => ({ labels: { node: node.name }, value: read(node) })),
    };
  };
  return [
    of('heimdall_node_up', 'Whether the manager of the node gives signs of life: 1.', ({ alive }) => Number(alive)),
    of('heimdall_node_instances', 'Instances that the node keeps, as it told last.', ({ instances }) => instances),
  ];
}

function alertFamily({ alerts, silences, now }: ManagerFacts): Family {
  return {
    kind: 'gauge',
    name: 'heimdall_alerts_active',
    help: 'Alerts that are not over.',
    samples: SEVERITIES.flatMap((severity) =>
      [false, true].map((silenced) => ({
        labels: { severity, silenced: String(silenced) },
        value: alerts.filter(
          ({ alert }) => alert.severity === severity && isSilenced(alert, silences, now) === silenced,
        ).length,
      })),
    ),
  };
}
