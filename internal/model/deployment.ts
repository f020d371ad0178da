import { z } from 'zod';
import { ReleaseSchema } from './release.ts';

/** `restart`: the same release in new processes. `rollback`: a release of an earlier deployment. */
const DEPLOYMENT_KINDS = ['deploy', 'restart', 'rollback'] as const;

const DEPLOYMENT_STATES = [
  'queued',
  'running',
  'rolling-back',
  'succeeded',
  /** The release before it runs again. */
  'rolled-back',
  /** Neither the one nor the other could be brought about. */
  'failed',
] as const;

/** Replaces the instances of a service, a few at a time, by ones that run another release. */
export const DeploymentSchema = z.object({
  id: z.int().min(1),
  service: z.string(),
  kind: z.enum(DEPLOYMENT_KINDS),
  state: z.enum(DEPLOYMENT_STATES),
  release: ReleaseSchema,
  /** What ran before, and runs again when this one is rolled back; known once it runs. */
  previous: ReleaseSchema.nullable(),
  /** Who asked for it. */
  by: z.string(),
  /** Epoch milliseconds, like the following. */
  createdAt: z.int(),
  startedAt: z.int().nullable(),
  finishedAt: z.int().nullable(),
  /** Why it was rolled back or failed; null when all is well. */
  reason: z.string().nullable(),
});
export type Deployment = z.infer<typeof DeploymentSchema>;

/** Something that a deployment did or saw. */
export const DeploymentStepSchema = z.object({
  /** Grows with every step of any deployment. */
  id: z.int(),
  deployment: z.int(),
  /** Epoch milliseconds. */
  at: z.int(),
  message: z.string(),
  instanceId: z.string().nullable(),
  /** Output that explains it; mostly empty. */
  logTail: z.array(z.string()),
});
export type DeploymentStep = z.infer<typeof DeploymentStepSchema>;

export function isActive({ state }: Pick<Deployment, 'state'>): boolean {
  return state === 'running' || state === 'rolling-back';
}

export function isOver({ state }: Pick<Deployment, 'state'>): boolean {
  return !isActive({ state }) && state !== 'queued';
}
