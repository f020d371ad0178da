import { validate as isCron } from 'node-cron';
import { z } from 'zod';
import { AlertRuleSchema } from '../../pkg/alerts/rules/schema.ts';
import { EmailChannelSchema, WebhookChannelSchema } from '../../pkg/alerts/schema.ts';
import { LOG_LEVELS } from '../../pkg/logger/logger.ts';
import { AccessLogSchema } from '../model/access-log.ts';
import { duration, PortSchema, size, wholeNumber } from '../model/units.ts';
import { NodeNameSchema } from '../model/node.ts';
import { RegistrySettingsSchema } from '../model/registry-settings.ts';
import { ServiceSchema } from '../model/service.ts';
import { targetUrl } from '../../pkg/http-target/schema.ts';
import { HostSchema, NetworkSchema } from './host.ts';
import { TracingSchema } from './tracing.ts';

const ENGINES = ['wire', 'middleware'] as const;
const MAX_THREADS = 64;
/** The bound of the engines' parsers; a higher limit would have no effect. */
const MAX_HEAD_BYTES = 256 * 1024;

/** A calendar rule in five or six fields; times are the local time of the machine. */
const CronSchema = z.string().refine(isCron, 'expected a cron expression such as "0 8 * * *"');

/** Travels in an `Authorization` field, so it holds visible ASCII only. */
export const TokenSchema = z
  .string()
  .regex(/^[\x21-\x7e]{16,}$/, 'expected at least 16 visible ASCII characters, without spaces');

export const LogLevelSchema = z.enum(LOG_LEVELS);

const ManagerSchema = z.strictObject({
  host: HostSchema.default('127.0.0.1'),
  port: PortSchema.default(7000),
  /** With a token every call needs `Authorization: Bearer`. */
  token: TokenSchema.optional(),
  /** Where the managers of other nodes reach this one; default: its `host` and `port`, or those of `node.address`. */
  url: targetUrl('expected an http:// or https:// URL, such as "http://10.0.0.5:7000"').optional(),
  /** Host names that requests may carry, besides loopback and `host`. */
  allowedHosts: z.array(HostSchema).default([]),
});

/** All in milliseconds once parsed. */
const TimeoutsSchema = z.strictObject({
  connect: duration().prefault('3s'),
  /** From the sent request to the response head; then 504. */
  responseHead: duration().prefault('30s'),
  /** Between two pieces of a response body; a WebSocket may be silent for as long as it likes. */
  streamIdle: duration().prefault('5m'),
  requestHead: duration().prefault('10s'),
  /** Between two pieces of a request body. */
  bodyIdle: duration().prefault('60s'),
  /** Idle connections of clients. */
  keepAlive: duration().prefault('75s'),
  /** Idle connections to upstreams; must be shorter than the backends' own keep-alive. */
  upstreamIdle: duration().prefault('60s'),
  /** How long connections may stay with a load balancer that was replaced. */
  retire: duration().prefault('10m'),
});

/** Sizes are bytes once parsed. */
const LimitsSchema = z.strictObject({
  head: size()
    .refine((bytes) => bytes <= MAX_HEAD_BYTES, 'expected at most "256kb", which is as much as the engine reads')
    .prefault('16kb'),
  fields: z.int().min(1).default(100),
  target: size().prefault('8kb'),
  /** Null: no limit. */
  body: size().nullable().default(null),
});

const RetriesSchema = z.strictObject({
  /** Attempts after the first. */
  attempts: wholeNumber(0, 10).default(2),
  /** Share of the requests of the last 10 s that may be retries. */
  budget: z.number().min(0).max(1).default(0.2),
});

/** What `GET /explain/{id}` can tell of requests. */
const ExplainSchema = z.strictObject({
  /** Requests that each thread keeps, and as many again of those that went badly; 0: none, and `/explain` is off. */
  keep: wholeNumber(0, 100_000).default(1_000),
  /** So many requests of each second are recorded in each thread, and as many again of those that go badly. */
  perSecond: wholeNumber(1, 100_000).default(100),
});

/** Fields that mean something to the connection or the message: with another value they would break it. */
const RESERVED_FIELD =
  /^(connection|content-.*|date|keep-alive|proxy-.*|set-cookie|te|trailer|transfer-encoding|upgrade|via|x-request-id)$/i;

const UpstreamHeaderSchema = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]{1,64}$/, 'expected the name of a header field, such as "X-Served-By"')
  .refine(
    (name) => !RESERVED_FIELD.test(name),
    'this field has a meaning of its own; choose one such as "X-Served-By"',
  );

const ProxySchema = z.strictObject({
  host: HostSchema.default('0.0.0.0'),
  port: PortSchema.default(8080),
  engine: z.enum(ENGINES).default('wire'),
  /** Worker threads of the wire engine; `auto`: one for each core. Takes effect after a restart. */
  threads: z
    .union([z.literal('auto'), wholeNumber(1, MAX_THREADS)], {
      error: `expected "auto" or a number from 1 to ${MAX_THREADS}`,
    })
    .default('auto'),
  admin: z.strictObject({ host: HostSchema.default('127.0.0.1'), port: PortSchema.default(8081) }).prefault({}),
  timeouts: TimeoutsSchema.prefault({}),
  limits: LimitsSchema.prefault({}),
  /** Only these may tell who the client is (`X-Forwarded-For` and its relatives). */
  trustedProxies: z.array(NetworkSchema).default([]),
  /** Every connection begins with a PROXY protocol header (v1 or v2) that tells who the client is; wire engine only. */
  acceptProxyProtocol: z.boolean().default(false),
  retries: RetriesSchema.prefault({}),
  explain: ExplainSchema.prefault({}),
  /** Spans of requests for OpenTelemetry; null: none. */
  tracing: TracingSchema.nullable().default(null),
  /** Answers of upstreams get a field of this name, with the id of the instance; null: they do not. */
  upstreamHeader: UpstreamHeaderSchema.nullable().default(null),
  /** Where each request gets a line; null: nowhere. */
  accessLog: AccessLogSchema.nullable().prefault({}),
});

/** This host, as the others know it. */
const NodeSchema = z.strictObject({
  /** Default: the name of the host. */
  name: NodeNameSchema.optional(),
  /** Where its instances are reached, and bound; on more than one machine an address that the others reach. */
  address: HostSchema.default('127.0.0.1'),
});

/** The ports that instances get, both ends included. */
export const PortsSchema = z.strictObject({ from: PortSchema.default(9000), to: PortSchema.default(9999) });

const AlertsSchema = z.strictObject({
  email: z.array(EmailChannelSchema).default([]),
  webhooks: z.array(WebhookChannelSchema).default([]),
  /** Name of this installation, for people and receivers that hear of several. */
  site: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, 'expected up to 40 letters, digits, dots, dashes and underscores')
    .optional(),
  /** Private networks that webhooks from the API may reach; those of this file may reach all. */
  allowedNetworks: z.array(NetworkSchema).default([]),
  /** What people want to be told of besides. */
  rules: z.array(AlertRuleSchema).default([]),
  /** Alerts within this time, in milliseconds once parsed, travel in one message. */
  groupWindow: duration().prefault('10s'),
  /** The same alert is sent at most once in this time; milliseconds once parsed. */
  repeatAfter: duration().prefault('5m'),
  dailySummary: z
    .strictObject({ enabled: z.boolean().default(false), cron: CronSchema.default('0 8 * * *') })
    .prefault({}),
});

const EventsSchema = z.strictObject({
  /** Days; older events are deleted. */
  keepDays: wholeNumber(1, 3_650).default(30),
  /** When to delete them. */
  prune: CronSchema.default('30 3 * * *'),
});

const InstanceLogsSchema = z.strictObject({
  /** An output file of an instance that has become larger is put aside. */
  maxSize: size().prefault('10mb'),
  /** How many that were put aside are kept of each output. */
  keep: wholeNumber(0, 1_000).default(5),
  /** Of all output files together; beyond that the oldest are deleted. */
  total: size().prefault('1gb'),
});

/** The whole of `config.json`. What no single section can tell is checked in `cross-checks.ts`. */
export const ConfigSchema = z.strictObject({
  manager: ManagerSchema.prefault({}),
  proxy: ProxySchema.prefault({}),
  registry: RegistrySettingsSchema.prefault({}),
  node: NodeSchema.prefault({}),
  ports: PortsSchema.prefault({}),
  services: z.array(ServiceSchema).default([]),
  alerts: AlertsSchema.prefault({}),
  events: EventsSchema.prefault({}),
  instanceLogs: InstanceLogsSchema.prefault({}),
  log: z.strictObject({ level: LogLevelSchema.default('info') }).prefault({}),
});

/** The checked configuration: defaults filled in, durations in milliseconds, sizes in bytes, paths absolute. */
export type Config = z.infer<typeof ConfigSchema>;
