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
  /** Neither the one nor the other could be brought about. Of several nodes: some run the one, and some the other. */
  'failed',
  /** Nothing was changed, as it had come to its end before. */
  'skipped',
] as const;

/**
 * Replaces the instances of a service, a few at a time, by ones that run another release. Over several nodes it has a part on
 * each, all with the same id: see `wholeOf`.
 */
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
  /** Whose instances this part is about; null where there is one node only. */
  node: z.string().nullable().default(null),
  /** That it goes through, in turn; the part of a node that is not among them is skipped from the beginning. */
  nodes: z.array(z.string()).default([]),
  /** Why it shall go back; null: nobody wants that. */
  givenUp: z.string().nullable().default(null),
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
  /** Where; null where there is one node only. */
  node: z.string().nullable().default(null),
});
export type DeploymentStep = z.infer<typeof DeploymentStepSchema>;

export function isActive({ state }: Pick<Deployment, 'state'>): boolean {
  return state === 'running' || state === 'rolling-back';
}

export function isOver({ state }: Pick<Deployment, 'state'>): boolean {
  return !isActive({ state }) && state !== 'queued';
}
