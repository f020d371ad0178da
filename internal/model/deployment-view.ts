import { z } from 'zod';
import { DeploymentSchema } from './deployment.ts';
import { ReleaseViewSchema } from './release.ts';
import type { Told } from './told.ts';

const DeploymentPartViewSchema = DeploymentSchema.pick({ state: true })
  .extend({
    node: z.string(),
    version: z.string().nullable(),
    reason: z.string().exactOptional().describe('Why it was rolled back, failed or skipped there.'),
  })
  .meta({ id: 'DeploymentPart' });
export type DeploymentPartView = Told<z.infer<typeof DeploymentPartViewSchema>>;

/** A deployment as the API shows it; times are ISO 8601. */
export const DeploymentViewSchema = DeploymentSchema.pick({
  id: true,
  service: true,
  kind: true,
  state: true,
  by: true,
})
  .extend({
    version: z.string().nullable(),
    release: ReleaseViewSchema,
    previous: ReleaseViewSchema.nullable().describe('What ran before; known once it runs.'),
    nodes: z
      .array(DeploymentPartViewSchema)
      .describe('How it goes on each node, in turn; empty where the registry is for one node only.'),
    createdAt: z.string().describe('ISO 8601.'),
    startedAt: z.string().nullable().describe('ISO 8601; null: it waits.'),
    finishedAt: z.string().nullable().describe('ISO 8601; null: it is not over.'),
    reason: z
      .string()
      .exactOptional()
      .describe('Why it was rolled back or failed; over several nodes also what runs where.'),
  })
  .meta({ id: 'Deployment' });
export type DeploymentView = Told<z.infer<typeof DeploymentViewSchema>>;

/** Something that a deployment did or saw. */
export const DeploymentStepViewSchema = z
  .object({
    at: z.string().describe('ISO 8601.'),
    message: z.string(),
    node: z.string().exactOptional().describe('Where, unless there is one node only.'),
    instance: z.string().exactOptional(),
    logTail: z.array(z.string()).exactOptional(),
  })
  .meta({ id: 'DeploymentStep' });
export type DeploymentStepView = Told<z.infer<typeof DeploymentStepViewSchema>>;

export const DeploymentDetailsViewSchema = DeploymentViewSchema.extend({
  steps: z.array(DeploymentStepViewSchema),
}).meta({ id: 'DeploymentDetails' });
export type DeploymentDetailsView = Told<z.infer<typeof DeploymentDetailsViewSchema>>;
