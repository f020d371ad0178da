import { z } from 'zod';
import { duration } from './units.ts';

const EndpointSchema = z
  .url({ protocol: /^https?$/, error: 'expected a URL such as "http://10.0.0.5:2379"' })
  .transform((url) => url.replace(/\/+$/, ''));

/** How an etcd cluster is reached. */
export const EtcdSettingsSchema = z.strictObject({
  /** Of its members; one that does not answer is passed over. */
  endpoints: z.array(EndpointSchema).min(1, 'expected the URL of at least one member'),
  /** Before all keys; installations with different ones know nothing of each other. */
  prefix: z
    .string()
    .regex(/^\/[A-Za-z0-9._/-]{0,199}$/, 'expected a path such as "/heimdall"')
    .transform((prefix) => prefix.replace(/\/+$/, ''))
    .default('/heimdall'),
  username: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  /** Files in PEM; relative to the folder of the configuration file, absolute once checked. */
  ca: z.string().min(1).optional(),
  cert: z.string().min(1).optional(),
  key: z.string().min(1).optional(),
  /** For an answer; milliseconds once parsed. */
  timeout: duration().prefault('2s'),
});
export type EtcdSettings = z.infer<typeof EtcdSettingsSchema>;

const REGISTRY_DRIVERS = ['sqlite', 'etcd'] as const;

/** Where the processes of an installation meet. */
export const RegistrySettingsSchema = z.strictObject({
  driver: z.enum(REGISTRY_DRIVERS).default('sqlite'),
  /** Relative to the folder of the configuration file, absolute once checked. Its folder keeps logs, too, whichever driver. */
  path: z.string().min(1).default('data/registry.db'),
  /** Of driver `etcd`. */
  etcd: EtcdSettingsSchema.optional(),
});
export type RegistrySettings = z.infer<typeof RegistrySettingsSchema>;
