import { z } from 'zod';
import { DeploymentSchema } from './deployment.ts';
import { ReleaseViewSchema } from './release.ts';

/** A deployment as the API shows it; times are ISO 8601. */
export const DeploymentViewSchema = DeploymentSchema.pick({
  id: true,
  service: true,
  kind: true,
  state: true,
  by: true,
}).extend({
  version: z.string().nullable(),
  release: ReleaseViewSchema,
  previous: ReleaseViewSchema.nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  /** Why it was rolled back or failed. */
  reason: z.string().exactOptional(),
});
export type DeploymentView = Readonly<z.infer<typeof DeploymentViewSchema>>;

/** Something that a deployment did or saw. */
export const DeploymentStepViewSchema = z.object({
  /** ISO 8601. */
  at: z.string(),
  message: z.string(),
  instance: z.string().exactOptional(),
  logTail: z.array(z.string()).exactOptional(),
});
export type DeploymentStepView = Readonly<z.infer<typeof DeploymentStepViewSchema>>;

export const DeploymentDetailsViewSchema = DeploymentViewSchema.extend({ steps: z.array(DeploymentStepViewSchema) });
export type DeploymentDetailsView = Readonly<z.infer<typeof DeploymentDetailsViewSchema>>;
