import { z } from 'zod';
import { ALGORITHMS } from './algorithms.ts';
import { EnvSchema, MaxConnectionsSchema, ServiceNameSchema, VersionSchema } from './service.ts';
import { PortSchema, WeightSchema, wholeNumber } from './units.ts';

const InstancesSchema = wholeNumber(0, 1_000);
const WordsSchema = z.string().max(300);

/** Of `POST /servers/add`. */
export const AddBodySchema = z
  .strictObject({
    service: ServiceNameSchema.exactOptional().describe('Default: the first one that has a command.'),
    count: wholeNumber(1, 100).exactOptional().describe('How many; the answer is a list then.'),
    weight: WeightSchema.exactOptional().describe('Default: that of the service.'),
    port: PortSchema.exactOptional().describe('Default: the next free one; only for one instance.'),
    version: VersionSchema.exactOptional().describe(
      'What people call it; instances find it as VERSION. Default: that of the service.',
    ),
    env: EnvSchema.exactOptional().describe("Variables on top of the service's own."),
  })
  .refine(({ count, port }) => count === undefined || port === undefined, {
    path: ['port'],
    error: 'a port is for one instance; leave out count or port',
  });
export type AddBody = z.input<typeof AddBodySchema>;

/** Of `PATCH /services/{name}`. */
export const ServicePatchBodySchema = z.strictObject({
  instances: InstancesSchema.exactOptional(),
  algorithm: z
    .enum(ALGORITHMS, { error: `expected one of ${ALGORITHMS.join(', ')}` })
    .nullable()
    .exactOptional()
    .describe('Null: as it is configured.'),
  maxConnections: MaxConnectionsSchema.exactOptional().describe(
    'Requests that one instance may have in flight; null: as it is configured.',
  ),
  weight: WeightSchema.nullable().exactOptional().describe('Of all its instances; null: 1.'),
});
export type ServicePatchBody = z.input<typeof ServicePatchBodySchema>;

export const ScaleBodySchema = z.strictObject({ instances: InstancesSchema });

/** Of what makes a deployment: who asks for it. */
export const ByBodySchema = z.strictObject({
  by: VersionSchema.default('api').describe('Who asks for it; default: the actor that the head names.'),
});
export type ByBody = z.input<typeof ByBodySchema>;

export const DeployBodySchema = ByBodySchema.extend({
  version: VersionSchema.exactOptional().describe('What people call it; instances find it as VERSION.'),
  command: VersionSchema.exactOptional().describe(
    "The entry of the service's `versions` to run; default: the one that is called like the version.",
  ),
  env: EnvSchema.exactOptional().describe("Variables on top of the service's own."),
});
export type DeployBody = z.input<typeof DeployBodySchema>;

export const RollbackBodySchema = ByBodySchema.extend({
  to: wholeNumber(1, Number.MAX_SAFE_INTEGER)
    .exactOptional()
    .describe('The number of the deployment whose release shall run; default: the release before.'),
});
export type RollbackBody = z.input<typeof RollbackBodySchema>;

/** Who says something about alerts, and what. */
export const RemarkBodySchema = z.strictObject({
  by: WordsSchema.default('api').describe('Who says it; default: the actor that the head names.'),
  comment: WordsSchema.default(''),
});
export type RemarkBody = z.input<typeof RemarkBodySchema>;

/** Null: the weight that new instances of the service get. */
export const WeighBodySchema = z.strictObject({ weight: WeightSchema.nullable() });
