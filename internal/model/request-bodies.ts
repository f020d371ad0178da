import { z } from 'zod';
import { ALGORITHMS, EnvSchema, MaxConnectionsSchema, ServiceNameSchema, VersionSchema } from './service.ts';
import { PortSchema, WeightSchema, wholeNumber } from './units.ts';

const InstancesSchema = wholeNumber(0, 1_000);
const WordsSchema = z.string().max(300);

/** Of `POST /servers/add`. */
export const AddBodySchema = z
  .strictObject({
    /** Default: the first one that has a command. */
    service: ServiceNameSchema.exactOptional(),
    count: wholeNumber(1, 100).exactOptional(),
    weight: WeightSchema.exactOptional(),
    port: PortSchema.exactOptional(),
    version: VersionSchema.exactOptional(),
    env: EnvSchema.exactOptional(),
  })
  .refine(({ count, port }) => count === undefined || port === undefined, {
    path: ['port'],
    error: 'a port is for one instance; leave out count or port',
  });
export type AddBody = z.input<typeof AddBodySchema>;

/** Of `PATCH /services/{name}`. */
export const ServicePatchBodySchema = z.strictObject({
  instances: InstancesSchema.exactOptional(),
  /** Null, here and below: as it is configured. */
  algorithm: z
    .enum(ALGORITHMS, { error: `expected one of ${ALGORITHMS.join(', ')}` })
    .nullable()
    .exactOptional(),
  maxConnections: MaxConnectionsSchema.exactOptional(),
  weight: WeightSchema.nullable().exactOptional(),
});
export type ServicePatchBody = z.input<typeof ServicePatchBodySchema>;

export const ScaleBodySchema = z.strictObject({ instances: InstancesSchema });

/** Of what makes a deployment: who asks for it. */
export const ByBodySchema = z.strictObject({ by: VersionSchema.default('api') });
export type ByBody = z.input<typeof ByBodySchema>;

export const DeployBodySchema = ByBodySchema.extend({
  version: VersionSchema.exactOptional(),
  /** The entry of the service's `versions` to run; default: the one that is called like the version. */
  command: VersionSchema.exactOptional(),
  env: EnvSchema.exactOptional(),
});
export type DeployBody = z.input<typeof DeployBodySchema>;

export const RollbackBodySchema = ByBodySchema.extend({
  /** The number of the deployment whose release shall run; default: the release before. */
  to: wholeNumber(1, Number.MAX_SAFE_INTEGER).exactOptional(),
});
export type RollbackBody = z.input<typeof RollbackBodySchema>;

/** Who says something about alerts, and what. */
export const RemarkBodySchema = z.strictObject({ by: WordsSchema.default('api'), comment: WordsSchema.default('') });
export type RemarkBody = z.input<typeof RemarkBodySchema>;

/** Null: the weight that new instances of the service get. */
export const WeighBodySchema = z.strictObject({ weight: WeightSchema.nullable() });
