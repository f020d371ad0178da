import { DataPlane } from '../../../cmd/load-balancer/data-plane.ts';
import { slotsFor } from '../../../cmd/load-balancer/running-engine.ts';
import { wireEngine } from '../../../cmd/load-balancer/wire-engine.ts';
import { ConfigSchema } from '../../../internal/config/schema.ts';
import type { StartProbe } from '../../../internal/health/probe.ts';
import type { ServiceState } from '../../../internal/model/service-state.ts';
import { Traces } from '../../../internal/proxy/tracing/traces.ts';
import { openProxy } from '../../../internal/registry/open.ts';
import type { Snapshot } from '../../../internal/registry/registry.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { type Moments, PlaceSchema } from './messages.ts';

/**
 * `node reader.ts PLACE`: a load balancer with one worker thread that takes no requests. Its probes pass at once, without a
 * network. A message to the process asks what has come into force when.
 */
const { registry: settings, services, name } = PlaceSchema.parse(JSON.parse(process.argv[2] ?? ''));
const log = createLogger({ name, level: 'error', pretty: false });
const config = ConfigSchema.parse({
  proxy: { threads: 1, accessLog: null },
  services: services.map((service) => ({ name: service, healthCheck: { interval: '1h' } })),
});
const passAtOnce: StartProbe = (_target, _check, done) => {
  setImmediate(() => done({ passed: true, cause: 'passed', elapsedMs: 0 }));
  return { abort() {} };
};

const registry = await openProxy(settings, { proxyId: name, log });
const pictures = new WeakMap<readonly ServiceState[], number>();
const { watch, snapshot } = registry;
registry.watch = (listener, signal) => {
  const changed: typeof listener.changed = (picture) => listener.changed(seen(picture));
  watch.call(registry, { changed, failed: (error) => listener.failed(error) }, signal);
};
registry.snapshot = async () => seen(await snapshot.call(registry));

const slots = slotsFor(config);
const plane = new DataPlane({
  config,
  registry,
  cookieSecret: 'nobody is given this cookie',
  log,
  slots,
  startProbe: passAtOnce,
  rescue() {},
  upstreamRemoved() {},
  poolsChanged: () => engine.changed(),
});
const traces = new Traces({ version: '0', log, now: () => performance.now() });
const engine = wireEngine({ config, log, cookieSecret: '', slots, plane, traces });

let inForce: Moments = [];
const { fleet } = plane;
const apply = fleet.apply.bind(fleet);
fleet.apply = (instances, states) => {
  apply(instances, states);
  const revision = states && pictures.get(states);
  if (revision !== undefined) inForce.push([revision, Number(process.hrtime.bigint()) / 1e6]);
};

process.on('message', () => tell());
process.on('disconnect', () => process.exit(0));
await plane.start(config);
tell();

function seen(picture: Snapshot): Snapshot {
  pictures.set(picture.services, picture.revision);
  return picture;
}

function tell(): void {
  const instances = Array.from(fleet.pools(), ({ size }) => size).reduce((sum, size) => sum + size, 0);
  process.send?.({ revision: plane.link.appliedRevision, instances, inForce });
  inForce = [];
}
