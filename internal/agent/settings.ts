import { z } from 'zod';
import { AgentIdSchema, MetadataSchema } from '../model/agent-bodies.ts';
import { AppHostSchema } from '../model/app-host.ts';
import { HealthCheckSchema } from '../model/health-check.ts';
import { NodeNameSchema } from '../model/node.ts';
import { EtcdSettingsSchema } from '../model/registry-settings.ts';
import { ServiceNameSchema, VersionSchema } from '../model/service.ts';
import { PortSchema, WeightSchema } from '../model/units.ts';

/** Two failures in a row take an app out: within a second at the usual interval. The first pass brings it back. */
const CHECK = { interval: '250ms', timeout: '500ms', rise: 1, fall: 2 };

/** Where a manager is; without a trailing slash once parsed. */
const ManagerUrlSchema = z.string().transform((text, context) => {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  const isPlain = url?.username === '' && url.search === '' && url.hash === '';
  if (isPlain && ['http:', 'https:'].includes(url.protocol)) return url.href.replace(/\/+$/, '');
  context.issues.push({ code: 'custom', input: text, message: 'expected a URL such as http://10.0.0.5:7000' });
  return z.NEVER;
});

const AppSettingsSchema = z.strictObject({
  service: ServiceNameSchema,
  port: PortSchema,
  /** Where load balancers reach it; default: the address that the manager sees this host under. */
  host: AppHostSchema.exactOptional(),
  /** Default: what the manager says. */
  weight: WeightSchema.exactOptional(),
  version: VersionSchema.exactOptional(),
  metadata: MetadataSchema.default({}),
  /** As in the configuration of heimdall, but quicker. */
  healthCheck: z.preprocess(
    (given: unknown = {}) => (typeof given === 'object' && given !== null ? { ...CHECK, ...given } : given),
    HealthCheckSchema,
  ),
});
export type AppSettings = z.output<typeof AppSettingsSchema>;

/** What an agent does: the whole of its configuration file. */
export const AgentSettingsSchema = z
  .strictObject({
    /** The name of this host; default: its host name. */
    node: NodeNameSchema,
    /** Default: the name of the node. Needed when several agents run on one host. */
    id: AgentIdSchema.optional(),
    /** The one that answers is asked; the others when it does not. */
    managers: z.array(ManagerUrlSchema).default([]),
    /** Where apps are announced without a manager in between. */
    etcd: EtcdSettingsSchema.exactOptional(),
    apps: z.array(AppSettingsSchema).min(1, 'expected at least one app').max(100),
  })
  .check(({ value, issues }) => {
    if ((value.managers.length === 0) === (value.etcd === undefined)) {
      const message = 'expected managers, or etcd: one of them';
      issues.push({ code: 'custom', input: value, path: ['managers'], message });
    }
    const places = value.apps.map(({ host = '', port }) => `${host} ${port}`);
    for (const [at, place] of places.entries()) {
      const first = places.indexOf(place);
      if (first === at) continue;
      const message = `is the place of apps[${first}] already`;
      issues.push({ code: 'custom', input: value, path: ['apps', at, 'port'], message });
    }
  });
export type AgentSettings = z.output<typeof AgentSettingsSchema>;
