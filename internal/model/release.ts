import { z } from 'zod';
import type { Told } from './told.ts';

/** What the instances of a service run, as far as it is not in the configuration. */
export const ReleaseSchema = z.object({
  /** The deployment that made it; null: none did, the service runs as it is configured. */
  deployment: z.int().min(1).nullable(),
  /** What people call it, and the instances find as VERSION; null: it has no name. */
  version: z.string().nullable(),
  /** The entry of the service's `versions` whose command is run; null: the service's own. */
  variant: z.string().nullable(),
  /** Variables on top of the service's own. */
  env: z.record(z.string(), z.string()),
});
export type Release = z.infer<typeof ReleaseSchema>;

/** Before the first deployment. */
export const FIRST_RELEASE: Release = { deployment: null, version: null, variant: null, env: {} };

/** A release as the API shows it: of its variables the names alone, for values may be secrets. */
export const ReleaseViewSchema = ReleaseSchema.extend({ env: z.array(z.string()) }).meta({ id: 'Release' });
export type ReleaseView = Told<z.infer<typeof ReleaseViewSchema>>;

export function releaseViewOf({ env, ...release }: Release): ReleaseView {
  return { ...release, env: Object.keys(env) };
}
