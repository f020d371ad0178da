import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Distribution, Family, HistogramFamily, Labels } from './family.ts';

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/**
 * The text that Prometheus reads. Made anew from present values: what is gone leaves nothing behind. Families without a
 * sample are left out. To be imported when somebody asks: prom-client takes its time to load.
 */
export async function expositionOf(families: readonly Family[]): Promise<Exposition> {
  const registry = new Registry();
  for (const family of families) if (family.samples.length > 0) add(registry, family);
  return { contentType: registry.contentType, body: await registry.metrics() };
}

function add(registry: Registry, family: Family): void {
  const { name, help } = family;
  const settings = { name, help, labelNames: labelNamesOf(family), registers: [registry] };
  if (family.kind === 'histogram') {
    registry.registerMetric(new CountedHistogram(family));
  } else if (family.kind === 'counter') {
    const counter = new Counter(settings);
    for (const { labels, value } of family.samples) counter.inc(labels, value);
  } else {
    const gauge = new Gauge(settings);
    for (const { labels, value } of family.samples) gauge.set(labels, value);
  }
}

function labelNamesOf({ samples }: Family): string[] {
  return Object.keys(samples[0]?.labels ?? {});
}

/** A histogram that was counted elsewhere. */
class CountedHistogram extends Histogram {
  readonly #family: HistogramFamily;

  constructor(family: HistogramFamily) {
    const { name, help } = family;
    super({ name, help, labelNames: labelNamesOf(family), registers: [] });
    this.#family = family;
  }

  /** What the registry asks a metric for. */
  async getForPromString() {
    const { name, help, samples } = this.#family;
    const values = samples.flatMap((sample) => valuesOf(name, sample.labels, sample));
    return { name, help, type: 'histogram', values, aggregator: 'sum' };
  }
}

function valuesOf(name: string, labels: Labels, { buckets, sum, count }: Distribution) {
  return [
    ...buckets.map(({ le, count }) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le: Number.isFinite(le) ? String(le) : '+Inf' },
      value: count,
    })),
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
