import { z } from 'zod';
import { SAMPLES_KEPT_MS, spanOf, type TrafficSample } from '../../model/traffic-sample.ts';
import { PackedSampleSchema, packSample, unpackSample } from '../packed-sample.ts';
import { RollingLease, withLeases } from './leases.ts';
import { Form, valueIfValid } from './parse.ts';
import type { Store } from './store.ts';

const SAMPLES = 'kept/samples/';
const LEASE_SECONDS = SAMPLES_KEPT_MS / 1_000 + 300;
const LEASE_EVERY_MS = 240_000;
/** A sample that was not taken at the end of its span went on for so many more. */
const LATE_SPANS = 4;

const SampleSchema = PackedSampleSchema.extend({ proxyId: z.string(), from: z.int(), until: z.int() });
const SAMPLE = new Form(SampleSchema);

/** What load balancers tell of the traffic; it goes by itself when it is too old. */
export class Samples {
  readonly #store: Store;
  readonly #lease: RollingLease;

  constructor(store: Store) {
    this.#store = store;
    this.#lease = new RollingLease(store, LEASE_SECONDS, LEASE_EVERY_MS);
  }

  async write(sample: TrafficSample): Promise<void> {
    const { proxyId, from, until } = sample;
    const value: z.infer<typeof SampleSchema> = { proxyId, from, until, ...packSample(sample) };
    const put = `${beginningOf(spanOf(from))}${encodeURIComponent(proxyId)}/${from}`;
    await withLeases([this.#lease], async () => {
      await this.#store.write([{ put, value, lease: await this.#lease.hold() }]);
    });
  }

  /** Those that ended later than that, oldest first; one that cannot be read is left out: it is not worth a fault. */
  async since(since: number): Promise<TrafficSample[]> {
    const from = beginningOf(Math.max(0, spanOf(since) - LATE_SPANS));
    const { entries } = await this.#store.list(SAMPLES, { from });
    const kept = entries.flatMap((entry) => valueIfValid(SAMPLE, entry) ?? []);
    return kept
      .filter(({ until }) => until > since)
      .toSorted((a, b) => a.until - b.until)
      .map((each) => ({ proxyId: each.proxyId, from: each.from, until: each.until, ...unpackSample(each) }));
  }
}

function beginningOf(span: number): string {
  return `${SAMPLES}${String(span).padStart(12, '0')}/`;
}
