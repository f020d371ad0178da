import type { HealthRecord } from '../../model/health.ts';
import { incarnationOf } from '../../model/incarnation.ts';
import type { Instance } from '../../model/instance.ts';
import type { LiveHistory, LiveInstance, LiveState } from '../../model/live.ts';
import { LIVE_EVENTS } from '../../model/live-after.ts';
import type { LoadBalancerView } from '../../model/manager-status.ts';
import type { EventView } from '../../model/event-view.ts';
import type { Service } from '../../model/service.ts';
import {
  isAlive,
  isRegistryAway,
  type ProxyRecord,
  type RegistryWriter,
  type Snapshot,
} from '../../registry/registry.ts';
import type { Absences } from '../absences.ts';
import { silenceView } from '../alert-views.ts';
import type { DrainSpan } from '../../registry/drain.ts';
import { eventView } from '../event-view.ts';
import { serviceViewOf } from '../service-views.ts';
import { loadBalancerStatusOf, viewsOf } from '../views.ts';
import type { Nodes } from '../nodes.ts';
import type { UsageOf, Usages } from '../usages.ts';
import { LiveAlerts } from './live-alerts.ts';
import { LiveDeployments } from './live-deployments.ts';
import type { LiveSource } from './live-feed.ts';
import type { LiveTraffic, TrafficNow } from './live-traffic.ts';
import { threeDigits } from './three-digits.ts';

/** An age of a heartbeat that tells nothing, in milliseconds: it comes every second. */
const YOUNG_MS = 2_000;

export interface LiveReaderOptions {
  readonly registry: RegistryWriter;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Of heimdall. */
  readonly version: string;
  readonly services: () => readonly Service[];
  /** Those that are declared in the configuration. */
  readonly declared: () => readonly Instance[];
  readonly nodes: Pick<Nodes, 'list'>;
  readonly absences: Pick<Absences, 'gone'>;
  readonly usages: Pick<Usages, 'reader'>;
  /** Null: nobody knows, or it is not being drained. */
  readonly drainOf: (id: string) => DrainSpan | null;
  readonly traffic: LiveTraffic;
}

/** Finds out all that there is to see. */
export class LiveReader implements LiveSource {
  readonly #options: LiveReaderOptions;
  readonly #deployments: LiveDeployments;
  readonly #alerts: LiveAlerts;
  #events: readonly EventView[] = [];
  /** What was found last. */
  #last: LiveState | null = null;

  constructor(options: LiveReaderOptions) {
    const { registry, clock, absences } = options;
    this.#options = options;
    this.#deployments = new LiveDeployments(registry, absences, clock);
    this.#alerts = new LiveAlerts(registry, clock);
  }

  watch(): Promise<void> {
    return this.#options.traffic.watch();
  }

  rest(): void {
    this.#options.traffic.rest();
  }

  async state(): Promise<LiveState> {
    try {
      this.#last = await this.#read();
      return this.#last;
    } catch (error) {
      if (!isRegistryAway(error)) throw error;
      return { ...(this.#last ?? this.#nothing()), at: this.#at(), revision: null };
    }
  }

  history(): LiveHistory {
    return this.#options.traffic.history(this.#last ?? this.#nothing());
  }

  async #read(): Promise<LiveState> {
    const { registry, clock, services, version } = this.#options;
    const [snapshot, proxies, nodes, usageOf, health, deployments, alerts, silences, events] = await Promise.all([
      registry.snapshot(),
      registry.proxies(),
      this.#options.nodes.list(),
      this.#options.usages.reader(),
      registry.health(),
      this.#deployments.read(),
      this.#alerts.read(),
      registry.alertBook.silences(),
      this.#readEvents(),
    ]);
    const traffic = await this.#options.traffic.read(proxies);
    const now = clock();
    return {
      at: this.#at(),
      version,
      revision: snapshot.revision,
      loadBalancers: proxies.map((proxy) => loadBalancerView(proxy, now)),
      nodes,
      services: services().map((service) => {
        const { waiting, ...figures } = traffic.ofService(service.name);
        return { ...serviceViewOf(service, snapshot), waiting, traffic: figures };
      }),
      instances: this.#instances(
        snapshot,
        health,
        proxies.filter((proxy) => isAlive(proxy, now)),
        traffic,
        usageOf,
      ),
      deployments,
      alerts,
      silences: silences.map(silenceView),
      events,
    };
  }

  #instances(
    { instances }: Snapshot,
    health: readonly HealthRecord[],
    alive: readonly ProxyRecord[],
    traffic: TrafficNow,
    usageOf: UsageOf,
  ): LiveInstance[] {
    const all = [...instances, ...this.#options.declared()];
    const causes = new Map(health.map(({ incarnation, cause }) => [incarnation, cause]));
    const incarnations = new Map(all.map((instance) => [instance.id, incarnationOf(instance)]));
    return viewsOf(all, health, usageOf).map((view) => ({
      ...view,
      ...(view.memory === undefined ? {} : { memory: threeDigits(view.memory) }),
      healthCause: causes.get(incarnations.get(view.id) ?? '') ?? '',
      drain: view.status === 'draining' ? this.#drain(view.id, alive) : null,
      traffic: traffic.ofInstance(view.id),
    }));
  }

  #drain(id: string, alive: readonly ProxyRecord[]): LiveInstance['drain'] {
    const span = this.#options.drainOf(id);
    if (span === null) return null;
    return {
      since: timeOf(span.since),
      until: timeOf(span.until),
      inFlight: alive.reduce((sum, proxy) => sum + (proxy.inFlight.get(id) ?? 0), 0),
    };
  }

  /** Most of the time there is no new one. */
  async #readEvents(): Promise<readonly EventView[]> {
    const { registry } = this.#options;
    const [newest] = await registry.events({ limit: 1 });
    if (newest?.id !== this.#events[0]?.id) {
      this.#events = (await registry.events({ limit: LIVE_EVENTS })).map(eventView);
    }
    return this.#events;
  }

  #nothing(): LiveState {
    const { version } = this.#options;
    const lists = {
      loadBalancers: [],
      nodes: [],
      services: [],
      instances: [],
      deployments: [],
      alerts: [],
      silences: [],
    };
    return { at: this.#at(), version, revision: null, ...lists, events: [] };
  }

  #at(): string {
    return timeOf(this.#options.clock());
  }
}

function loadBalancerView(proxy: ProxyRecord, now: number): LoadBalancerView {
  const status = loadBalancerStatusOf(proxy, now);
  const age = status.heartbeatAgeMs < YOUNG_MS ? 0 : status.heartbeatAgeMs;
  return { ...status, heartbeatAgeMs: Math.floor(age / 1_000) * 1_000 };
}

function timeOf(at: number): string {
  return new Date(at).toISOString();
}
