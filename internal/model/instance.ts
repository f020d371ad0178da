import { z } from 'zod';
import { authority } from './address.ts';
import { NodeNameSchema } from './node.ts';
import { PortSchema, WeightSchema } from './units.ts';
import type { Health } from './health.ts';
import { LIFECYCLES, statusOf } from './lifecycle.ts';
import type { Service } from './service.ts';
import type { InstanceView } from './instance-view.ts';

/** Proves that a pid still is the process we spawned: a recycled pid has another start time, a reboot another boot id. */
export const ProcessIdentitySchema = z.object({
  pid: z.int().min(1),
  /** Opaque; equal for the same process only: on Linux field 22 of `/proc/<pid>/stat`. */
  startTime: z.string(),
  bootId: z.string(),
  /** Random, given to the child as HEIMDALL_INSTANCE_TOKEN. */
  token: z.string(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentitySchema>;

/** Who announced an instance that no manager spawned. */
export const AnnouncerSchema = z.object({
  /** Of the agent. */
  id: z.string().min(1).max(200),
  /** What it tells of the instance besides. */
  metadata: z.record(z.string(), z.string()),
});

/** One running copy of a service: a row of the registry, or a `servers` entry of the configuration. */
export const InstanceSchema = z.object({
  id: z.string().min(1),
  service: z.string(),
  host: z.string().min(1),
  port: PortSchema,
  /** Whose manager spawned it, or from which its agent announces it; null: the only one. */
  node: NodeNameSchema.nullable(),
  /** Null: heimdall spawned it, or the configuration declares it. */
  agent: AnnouncerSchema.nullable(),
  weight: WeightSchema,
  version: z.string().nullable(),
  /** The entry of the service's `versions` whose command it runs; null: the service's own. */
  variant: z.string().nullable(),
  /** The deployment whose release it runs; null: of before the first one. */
  deployment: z.int().min(1).nullable(),
  lifecycle: z.enum(LIFECYCLES),
  /** Null while no process runs, and always for declared instances. */
  process: ProcessIdentitySchema.nullable(),
  /** Variables of its release and those given when it was added, on top of the service's own. */
  env: z.record(z.string(), z.string()),
  /** Epoch milliseconds of the present process's start; null before the first. */
  startedAt: z.int().nullable(),
  /** How often the process was started again after an unexpected exit. */
  restarts: z.int().min(0),
  /** Why the last process ended or never got ready; null when all is well. */
  lastError: z.string().nullable(),
});
export type Instance = z.infer<typeof InstanceSchema>;

/** What the processes of an instance use, all together. */
export interface Usage {
  /** Resident memory in bytes; what processes share is counted for each of them. */
  readonly memory: number;
  /** Percent of one core, lately; null as long as that is not known. */
  readonly cpu: number | null;
}

export function viewOf(instance: Instance, health: Health, usage?: Usage): InstanceView {
  const cpu = usage?.cpu ?? null;
  return {
    id: instance.id,
    service: instance.service,
    host: instance.host,
    port: instance.port,
    node: instance.node,
    url: `http://${authority(instance.host, instance.port)}`,
    pid: instance.process?.pid ?? null,
    status: statusOf(instance.lifecycle),
    health,
    weight: instance.weight,
    version: instance.version,
    startedAt: instance.startedAt === null ? null : new Date(instance.startedAt).toISOString(),
    restarts: instance.restarts,
    ...(instance.agent === null ? {} : { agent: instance.agent }),
    ...(usage === undefined ? {} : { memory: usage.memory }),
    ...(cpu === null ? {} : { cpu: Number(cpu.toFixed(1)) }),
    ...(instance.lastError === null ? {} : { lastError: instance.lastError }),
  };
}

/** What a row tells of an instance that no release and no process of ours is behind. */
export const UNSPAWNED = {
  node: null,
  agent: null,
  version: null,
  variant: null,
  deployment: null,
  process: null,
  env: {},
  restarts: 0,
  lastError: null,
} satisfies Partial<Instance>;

/** The instances that the configuration lists under `servers`: always `ready`, never spawned, stopped or restarted by us. */
export function declaredInstances(service: Service): Instance[] {
  return service.servers.map(({ host, port, weight }) => ({
    id: `${service.name}@${authority(host, port)}`,
    service: service.name,
    host,
    port,
    weight,
    ...UNSPAWNED,
    lifecycle: 'ready',
    startedAt: null,
  }));
}
