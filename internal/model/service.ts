import { z } from 'zod';
import { ALGORITHMS } from './algorithms.ts';
import { HealthCheckSchema } from './health-check.ts';
import { duration, PortSchema, WeightSchema, wholeNumber } from './units.ts';
import { OutlierDetectionSchema } from './outlier-detection.ts';
import { AdaptiveConcurrencySchema, QueueSchema } from './overload.ts';
import { RateLimitSchema } from './rate-limit.ts';
import { AutoscaleSchema, HoldSchema, LimitsOfInstanceSchema, RolloutSchema } from './rollout.ts';

/** Names that become a label in ids, file names, cookie names and log lines. */
export const ServiceNameSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'expected 1 to 63 lower-case letters, digits and dashes');

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** What the system takes as an argument, a variable's value or a path: it would end at the first NUL character. */
const NO_NUL = /^[^\0]*$/;
const NO_NUL_EXPECTED = 'expected text without NUL characters';
export const EnvSchema = z.record(
  z.string().regex(VARIABLE_NAME, 'not a variable name'),
  z.string().regex(NO_NUL, NO_NUL_EXPECTED),
);

const ReadinessSchema = z.strictObject({
  interval: duration().prefault('250ms'),
  /** From the spawn to the first passed probe. */
  deadline: duration().prefault('60s'),
});

export const RouteSchema = z.strictObject({
  /** A host name, `*.example.com`, or `*` for any. */
  host: z
    .string()
    .regex(/^(\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/i, 'expected a host name, "*.example.com" or "*"')
    .transform((host) => host.toLowerCase())
    .default('*'),
  /** A prefix of whole path segments: `/api` matches `/api` and `/api/x`, not `/apix`. */
  path: z.string().startsWith('/').default('/'),
  /** Null: as many requests as come. */
  rateLimit: RateLimitSchema.nullable().default(null),
});
export type Route = z.infer<typeof RouteSchema>;

/** `ip`, `url`, `ip+url`, `header:NAME`, `cookie:NAME`. A request without the header or cookie is keyed by its address. */
export const HashKeySchema = z
  .string()
  .regex(
    /^(ip|url|ip\+url|(header|cookie):[A-Za-z0-9_!#$%&'*+.^`|~-]+)$/,
    'expected ip, url, ip+url, header:NAME or cookie:NAME',
  );

const HashSchema = z.strictObject({
  key: HashKeySchema.default('ip+url'),
  /** Upper bound of an upstream's share of the in-flight requests, relative to its fair share; null: no bound, strict affinity. */
  balanceFactor: z.number().gt(1).max(100).nullable().default(null),
});

export const StickySchema = z.strictObject({
  /** Default: `heimdall_<service>`. */
  cookie: z
    .string()
    .regex(/^[A-Za-z0-9_!#$%&'*+.^`|~-]+$/, 'not a cookie name')
    .optional(),
  /** Signs the cookie; by default a random one is made and kept in the data folder. Set it to share it among hosts. */
  secret: z.string().min(16, 'expected at least 16 characters').optional(),
});

const ServerObjectSchema = z.strictObject({ address: z.string(), weight: WeightSchema.default(1) });

/** `"10.0.0.7:8080"` or `{ "address": "10.0.0.7:8080", "weight": 2 }`. */
export const ServerSchema = z
  .union([z.string().transform((address) => ({ address, weight: 1 })), ServerObjectSchema], {
    error: 'expected "host:port" or { "address": "host:port", "weight": 1 }',
  })
  .transform(({ address, weight }, context) => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9_.-]+)):(\d{1,5})$/.exec(address);
    const port = PortSchema.safeParse(Number(match?.[3]));
    const host = match?.[1] ?? match?.[2];
    if (host && port.success) return { host, port: port.data, weight };
    context.issues.push({ code: 'custom', input: address, message: 'expected "host:port", such as "10.0.0.7:8080"' });
    return z.NEVER;
  });

/** Signals that programs take for "finish what you have, then go". */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

/** A name as the system knows it, or a number. */
const AccountSchema = z.union([z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*\$?$/), wholeNumber(0, 4_294_967_294)], {
  error: 'expected a name or a number',
});

const RunAsSchema = z.strictObject({
  user: AccountSchema,
  /** Default: the user's own group. */
  group: AccountSchema.optional(),
});
export type RunAs = z.infer<typeof RunAsSchema>;

/** Requests that one instance may have in flight, WebSockets included; null: no limit. */
export const MaxConnectionsSchema = wholeNumber(1, 1_000_000).nullable();

const CommandSchema = z.array(z.string().min(1).regex(NO_NUL, NO_NUL_EXPECTED)).min(1);
const FolderSchema = z.string().min(1).regex(NO_NUL, NO_NUL_EXPECTED);

/** What people call a release. */
export const VersionSchema = z
  .string()
  .regex(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,64}$/u, 'expected 1 to 64 printable characters');

/** Another way to run the service; what is absent is as in the service. */
const VariantSchema = z.strictObject({
  command: CommandSchema.optional(),
  cwd: FolderSchema.optional(),
  env: EnvSchema.default({}),
});

/** A named application with an algorithm, routes, a health check and, when spawned by heimdall, a command. */
export const ServiceSchema = z.strictObject({
  name: ServiceNameSchema,
  /** Program and arguments; `{port}` in any of them, or in a value of `env`, becomes the instance's port. */
  command: CommandSchema.optional(),
  /** To be running at the start; see `configuredInstances`. */
  instances: wholeNumber(0, 1_000).optional(),
  env: EnvSchema.default({}),
  /** Relative to the folder of the configuration file. */
  cwd: FolderSchema.default('.'),
  /** What a deployment may choose, by name. */
  versions: z.record(VersionSchema, VariantSchema).default({}),
  /** Instances that heimdall does not spawn. */
  servers: z.array(ServerSchema).default([]),
  /** Whether agents may announce instances of it. */
  agents: z.boolean().default(false),
  routes: z.array(RouteSchema).min(1).prefault([{}]),
  algorithm: z.enum(ALGORITHMS).default('round-robin'),
  hash: HashSchema.prefault({}),
  sticky: StickySchema.prefault({}),
  maxConnections: MaxConnectionsSchema.default(null),
  /** Null: no limit besides `maxConnections`. */
  adaptiveConcurrency: AdaptiveConcurrencySchema.nullable().default(null),
  queue: QueueSchema.prefault({}),
  healthCheck: HealthCheckSchema.prefault({}),
  outlierDetection: OutlierDetectionSchema.prefault({}),
  /** When a smaller share of the instances than this is fit to serve, requests go to the others, too. */
  panicThreshold: z.number().min(0).max(1).default(0.5),
  readiness: ReadinessSchema.prefault({}),
  /** How long in-flight requests of a removed instance may take before it is told to stop. */
  drainTimeout: duration().prefault('30s'),
  /** What an instance is told to stop with. */
  stopSignal: z.enum(STOP_SIGNALS).default('SIGTERM'),
  /** From that signal to SIGKILL. */
  stopTimeout: duration().prefault('10s'),
  /** Exit codes after which an instance is not started again: its work is done, or another start would change nothing. */
  noRestartCodes: z.array(wholeNumber(0, 255)).default([]),
  /** Whom instances run as, when heimdall runs as root; null: as heimdall itself. */
  runAs: RunAsSchema.nullable().default(null),
  rollout: RolloutSchema.prefault({}),
  /** How long the share of traffic of a new instance takes to grow to its full size. */
  slowStart: duration().nullable().prefault('10s'),
  /** An instance that has been unhealthy for so long is replaced; null: never. */
  replaceUnhealthyAfter: duration().nullable().prefault('30s'),
  limits: LimitsOfInstanceSchema.prefault({}),
  hold: HoldSchema.prefault({}),
  /** Whether the first request to a service without instances starts one, and waits for it. */
  scaleFromZero: z.boolean().default(false),
  /** A service that had no request for so long is scaled to zero; null: never. */
  idleAfter: duration().nullable().default(null),
  autoscale: AutoscaleSchema.nullable().default(null),
});
export type Service = z.infer<typeof ServiceSchema>;

/** How many instances the configuration asks heimdall to spawn: one unless it says otherwise, none without a command. */
export function configuredInstances({ command, instances }: Service): number {
  return command === undefined ? 0 : (instances ?? 1);
}
