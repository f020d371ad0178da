import { z } from 'zod';

/** Where the processes of an installation meet. */
export const RegistrySettingsSchema = z.strictObject({
  driver: z.enum(['sqlite']).default('sqlite'),
  /** Relative to the folder of the configuration file; absolute once checked. Its folder keeps logs, too. */
  path: z.string().min(1).default('data/registry.db'),
});
export type RegistrySettings = z.infer<typeof RegistrySettingsSchema>;
