import { z } from 'zod';
import { SAMPLES_KEPT_MS, spanOf, type TrafficSample } from '../../model/traffic-sample.ts';
import { RollingLease, withLeases } from './leases.ts';
import { Form, valueIfValid } from './parse.ts';
import type { Store } from './store.ts';

const SAMPLES = 'kept/samples/';
const LEASE_SECONDS = SAMPLES_KEPT_MS / 1_000 + 300;
const LEASE_EVERY_MS = 240_000;
/** A sample that was not taken at the end of its span went on for so many more. */
const LATE_SPANS = 4;

/** Without the names of the fields, which would be half of it. */
const BodySchema = z.object({
  proxyId: z.string(),
  from: z.int(),
  until: z.int(),
  /** Service, ended, failed, waiting. */
  services: z.array(z.tuple([z.string(), z.number(), z.number(), z.number()])),
  /** Service, instance, requests, failures, in flight, latencies. */
  instances: z.array(z.tuple([z.string(), z.string(), z.number(), z.number(), z.number(), z.array(z.number())])),
});
type Body = z.infer<typeof BodySchema>;
const BODY = new Form(BodySchema);

/** What load balancers tell of the traffic; it goes by itself when it is too old. */
export class Samples {
  readonly #store: Store;
  readonly #lease: RollingLease;

  constructor(store: Store) {
    this.#store = store;
    this.#lease = new RollingLease(store, LEASE_SECONDS, LEASE_EVERY_MS);
  }

  async write({ proxyId, from, until, services, instances }: TrafficSample): Promise<void> {
    const value: Body = {
      proxyId,
      from,
      until,
      services: services.map(({ service, ended, failed, waiting }) => [service, ended, failed, waiting]),
      instances: instances.map(({ service, instanceId, requests, failures, inFlight, latencies }) => {
        return [service, instanceId, requests, failures, inFlight, [...latencies]];
      }),
    };
    const put = `${beginningOf(spanOf(from))}${encodeURIComponent(proxyId)}/${from}`;
    await withLeases([this.#lease], async () => {
      await this.#store.write([{ put, value, lease: await this.#lease.hold() }]);
    });
  }

  /** Those that ended later than that, oldest first; one that cannot be read is left out: it is not worth a fault. */
  async since(since: number): Promise<TrafficSample[]> {
    const from = beginningOf(Math.max(0, spanOf(since) - LATE_SPANS));
    const { entries } = await this.#store.list(SAMPLES, { from });
    const bodies = entries.flatMap((entry) => valueIfValid(BODY, entry) ?? []);
    return bodies
      .filter(({ until }) => until > since)
      .toSorted((a, b) => a.until - b.until)
      .map(sampleOf);
  }
}

function beginningOf(span: number): string {
  return `${SAMPLES}${String(span).padStart(12, '0')}/`;
}

function sampleOf({ proxyId, from, until, services, instances }: Body): TrafficSample {
  return {
    proxyId,
    from,
    until,
    services: services.map(([service, ended, failed, waiting]) => ({ service, ended, failed, waiting })),
    instances: instances.map(([service, instanceId, requests, failures, inFlight, latencies]) => {
      return { service, instanceId, requests, failures, inFlight, latencies };
    }),
  };
}
