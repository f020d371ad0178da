import { z } from 'zod';
import { AppHostSchema } from './app-host.ts';
import { InstanceViewSchema } from './instance-view.ts';
import { NodeNameSchema } from './node.ts';
import { ServiceNameSchema, VersionSchema } from './service.ts';
import { PortSchema, WeightSchema } from './units.ts';

/** Of what one call is about. */
const MOST = 100;

/** Names that become part of log lines and of a registry key. */
export const AgentIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._:@-]{0,126}[A-Za-z0-9])?$/, 'expected 1 to 128 letters, digits and ._:@-');

export const MetadataSchema = z
  .record(
    z.string().regex(/^[A-Za-z0-9._/-]{1,64}$/, 'expected a name of 1 to 64 letters, digits and ._/-'),
    z.string().max(256, 'expected at most 256 characters'),
  )
  .refine((metadata) => Object.keys(metadata).length <= 32, 'expected at most 32 entries');

/** An app that an agent has found healthy. */
const AppSchema = z.strictObject({
  service: ServiceNameSchema.describe('Which has `"agents": true` in the configuration.'),
  port: PortSchema,
  host: AppHostSchema.exactOptional().describe(
    'Where load balancers reach it; default: the address that the call comes from. Needed when a proxy is in between.',
  ),
  weight: WeightSchema.exactOptional().describe('Default: the one it has, or that of the service.'),
  version: VersionSchema.exactOptional().describe('What people call it.'),
  metadata: MetadataSchema.default({}).describe('What else there is to know.'),
});

/** Of `POST /servers/register`. */
export const RegisterBodySchema = z.strictObject({
  agent: AgentIdSchema.describe('Who announces; the same after a restart.'),
  node: NodeNameSchema.describe('The host of the apps.'),
  apps: z.array(AppSchema).min(1).max(MOST),
});
export type RegisterBody = z.input<typeof RegisterBodySchema>;
export type RegisterRequest = z.output<typeof RegisterBodySchema>;

const IdsSchema = z.array(z.string().min(1).max(200)).min(1).max(MOST);

/** Of `POST /servers/heartbeat`. */
export const HeartbeatBodySchema = z.strictObject({
  agent: AgentIdSchema,
  instances: z
    .array(
      z.strictObject({
        id: z.string().min(1).max(200),
        state: z.enum(['up', 'down'], { error: 'expected up or down' }),
        cause: z.string().max(500).exactOptional().describe('Why it is down.'),
      }),
    )
    .min(1)
    .max(MOST),
});
export type HeartbeatBody = z.input<typeof HeartbeatBodySchema>;
export type HeartbeatRequest = z.output<typeof HeartbeatBodySchema>;

/** Of `POST /servers/deregister`. */
export const DeregisterBodySchema = z.strictObject({ agent: AgentIdSchema, instances: IdsSchema });
export type DeregisterBody = z.input<typeof DeregisterBodySchema>;

const PaceSchema = z.object({
  ttlMs: z.int().describe('How long instances stay without a heartbeat.'),
  intervalMs: z.int().describe('How often one is expected.'),
});

/** What `POST /servers/register` answers. */
export const RegistrationSchema = PaceSchema.extend({
  instances: z.array(InstanceViewSchema).describe('In the order of the apps.'),
}).meta({ id: 'Registration' });
export type Registration = Readonly<z.infer<typeof RegistrationSchema>>;

/** What `POST /servers/heartbeat` answers. */
export const HeartbeatAnswerSchema = PaceSchema.extend({
  unknown: z.array(z.string()).describe('Those that are not there: announce them again.'),
  removed: z.array(z.string()).describe('Those that somebody has removed: they stay out.'),
}).meta({ id: 'HeartbeatAnswer' });
export type HeartbeatAnswer = Readonly<z.infer<typeof HeartbeatAnswerSchema>>;

/** What `POST /servers/deregister` answers. */
export const DeregistrationSchema = z
  .object({
    gone: z.array(z.string()).describe('Those that no request goes to any more.'),
    unknown: z.array(z.string()).describe('Those that were not there, or are not of this agent.'),
  })
  .meta({ id: 'Deregistration' });
export type Deregistration = Readonly<z.infer<typeof DeregistrationSchema>>;
