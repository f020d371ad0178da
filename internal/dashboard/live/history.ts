import type { LiveHistory, LiveInstance, LiveService, Series } from '../../model/live.ts';

/** What is shown of the past, in milliseconds. */
export const SPAN_MS = 15 * 60_000;

export type ServiceFigure = keyof LiveHistory['services'][string];
export type InstanceFigure = keyof LiveHistory['instances'][string];
type Figures = Readonly<Record<string, number | null>>;
type Line = Record<string, (number | null)[]>;

/** The figures of the last 15 minutes at equal distances: what the manager knew, and what the ticks have brought since. */
export class History {
  #stepMs = 5_000;
  /** Of the last point, in epoch milliseconds; null before the first message. */
  #until: number | null = null;
  /** Of every line. */
  #length = 0;
  #services = new Map<string, Line>();
  #instances = new Map<string, Line>();
  /** What came since the last point. */
  #pending = new Map<string, Figures[]>();

  seed({ until, stepMs, services, instances }: LiveHistory): void {
    this.#stepMs = stepMs;
    this.#until = until;
    const lines = [...Object.values(services), ...Object.values(instances)];
    this.#length = Math.max(0, ...lines.flatMap((line) => Object.values(line).map((series) => series.length)));
    this.#services = new Map(Object.entries(services).map(([name, line]) => [name, this.#lineOf(line)]));
    this.#instances = new Map(Object.entries(instances).map(([id, line]) => [id, this.#lineOf(line)]));
    this.#pending = new Map();
  }

  /** @param at - epoch milliseconds by the manager's clock. */
  add(at: number, services: readonly LiveService[], instances: readonly LiveInstance[]): void {
    for (const { name, traffic } of services) this.#collect(`service ${name}`, { ...traffic });
    for (const instance of instances) this.#collect(`instance ${instance.id}`, figuresOf(instance));
    this.#until = Math.min(this.#until ?? at - this.#stepMs, at); // the clock may be set back
    const steps = Math.floor((at - this.#until) / this.#stepMs);
    if (steps < 1) return;
    this.#until += steps * this.#stepMs;
    this.#gap(Math.min(steps - 1, this.#most));
    this.#point(services, instances);
    this.#pending = new Map();
  }

  /** Times of the points in epoch seconds, oldest first. */
  times(): number[] {
    const until = this.#until ?? 0;
    return Array.from({ length: this.#length }, (_, at) => (until - (this.#length - 1 - at) * this.#stepMs) / 1_000);
  }

  service(name: string, figure: ServiceFigure): Series {
    return this.#services.get(name)?.[figure] ?? [];
  }

  instance(id: string, figure: InstanceFigure): Series {
    return this.#instances.get(id)?.[figure] ?? [];
  }

  /** Points that are kept. */
  get #most(): number {
    return Math.ceil(SPAN_MS / this.#stepMs);
  }

  #lineOf(line: Readonly<Record<string, Series>>): Line {
    const padded = (series: Series) => [...nulls(this.#length - series.length), ...series];
    return Object.fromEntries(Object.entries(line).map(([figure, series]) => [figure, padded(series)]));
  }

  #collect(key: string, figures: Figures): void {
    const samples = this.#pending.get(key);
    if (samples) samples.push(figures);
    else this.#pending.set(key, [figures]);
  }

  /** So many points of which nothing is known. */
  #gap(count: number): void {
    for (const line of [...this.#services.values(), ...this.#instances.values()]) {
      for (const series of Object.values(line)) series.push(...nulls(count));
    }
    this.#length += count;
  }

  #point(services: readonly LiveService[], instances: readonly LiveInstance[]): void {
    this.#services = this.#extended(this.#services, 'service', new Set(services.map(({ name }) => name)));
    this.#instances = this.#extended(this.#instances, 'instance', new Set(instances.map(({ id }) => id)));
    this.#length = Math.min(this.#length + 1, this.#most);
  }

  /** Lines of what is there no more are dropped. */
  #extended(lines: ReadonlyMap<string, Line>, kind: string, present: ReadonlySet<string>): Map<string, Line> {
    const next = new Map<string, Line>();
    for (const key of present) {
      const samples = this.#pending.get(`${kind} ${key}`) ?? [];
      const line = lines.get(key) ?? {};
      for (const figure of Object.keys(samples[0] ?? {})) {
        const series = (line[figure] ??= nulls(this.#length));
        series.push(meanOf(samples.map((sample) => sample[figure] ?? null)));
        series.splice(0, Math.max(0, series.length - this.#most));
      }
      next.set(key, line);
    }
    return next;
  }
}

function figuresOf({ traffic: { rps, errorRate, p99 }, cpu, memory }: LiveInstance): Figures {
  return { rps, errorRate, p99, cpu: cpu ?? null, memory: memory ?? null };
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function nulls(count: number): null[] {
  return Array.from({ length: Math.max(0, count) }, () => null);
}
