import type { Alert, JointSink } from '../../../pkg/alerts/alert.ts';
import { LeadingSink } from '../../../pkg/alerts/leading-sink.ts';
import { isKeyOfKind, isOfKind, TRAFFIC_KINDS } from '../../../pkg/alerts/rules/kinds.ts';
import type { Reading, RuleView } from '../../../pkg/alerts/rules/reading.ts';
import { RuleWatch } from '../../../pkg/alerts/rules/rule-watch.ts';
import type { AlertRule, RuleOf } from '../../../pkg/alerts/rules/schema.ts';
import type { Clock } from '../../../pkg/clock/clock.ts';
import { History } from '../history.ts';
import type { RecentTraffic } from '../recent-traffic.ts';
import type { ServicePool } from '../service-pool.ts';
import { errorRate, p99, roomInUse, saturation, unhealthy } from './readings.ts';

/** Between two looks, in milliseconds. */
const LOOK_MS = 1_000;
/** A single moment says little about room: the mean of so many milliseconds counts. */
const ROOM_MS = 10_000;

type TrafficRule = RuleOf<(typeof TRAFFIC_KINDS)[number]>;

/** Of one pool, as it was counted up from look to look. */
interface PoolMemory {
  readonly ended: History<{ readonly ended: number; readonly failed: number }>;
  readonly room: History<{ readonly sum: number; readonly looks: number }>;
  sum: number;
  looks: number;
}

export interface TrafficRulesOptions {
  readonly sink: JointSink;
  readonly clock: Clock;
  readonly pools: () => Iterable<ServicePool>;
  readonly recent: RecentTraffic;
}

/** The rules about what a load balancer sees. Without any it does nothing. */
export class TrafficRules {
  readonly #options: TrafficRulesOptions;
  readonly #sink: LeadingSink;
  readonly #watch: RuleWatch;
  #memories = new WeakMap<ServicePool, PoolMemory>();
  #rules: readonly TrafficRule[] = [];
  #cancelTimer: (() => void) | null = null;

  constructor(options: TrafficRulesOptions) {
    this.#options = options;
    this.#sink = new LeadingSink(options.sink);
    this.#watch = new RuleWatch(this.#sink, options.clock);
  }

  /** What is about no rule of these any more is over. */
  configure(rules: readonly AlertRule[]): void {
    if (this.#rules.length === 0) this.#memories = new WeakMap(); // since then nobody has looked
    this.#rules = rules.filter(isTrafficRule);
    const windows = this.#rules.map((rule) => ('over' in rule ? rule.over : 0));
    this.#options.recent.keep(Math.max(0, ...windows));
    this.stop();
    this.#look();
    if (this.#rules.length > 0) this.#schedule();
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  /** See `LeadingSink`. */
  lead(leading: boolean): void {
    this.#sink.lead(leading);
  }

  /** Takes over what another load balancer has told of. @returns those that are about no rule of its kind. */
  inherit(alerts: readonly Alert[]): Alert[] {
    const own = alerts.filter(({ key }) => isKeyOfKind(key, TRAFFIC_KINDS));
    for (const alert of own) this.#sink.inherit(alert);
    this.#watch.inherit(own);
    this.#look();
    return alerts.filter((alert) => !own.includes(alert));
  }

  /** As of the last look. */
  views(): RuleView[] {
    return this.#watch.views();
  }

  #schedule(): void {
    this.#cancelTimer = this.#options.clock.after(LOOK_MS, () => {
      this.#schedule();
      this.#look();
    });
  }

  #look(): void {
    const pools = [...this.#options.pools()];
    if (this.#rules.length > 0) for (const pool of pools) this.#note(pool);
    this.#watch.look(this.#rules, (rule) => {
      const concerned = pools.filter(({ name }) => concerns(rule, name));
      return isTrafficRule(rule) ? concerned.map((pool) => this.#read(rule, pool)) : [];
    });
  }

  #note(pool: ServicePool): void {
    const now = this.#options.clock.monotonic();
    const memory = this.#memoryOf(pool);
    const inUse = roomInUse(pool);
    memory.sum += inUse ?? 0;
    memory.looks += inUse === null ? 0 : 1;
    memory.room.add(now, { sum: memory.sum, looks: memory.looks }, ROOM_MS);
    const windows = this.#rules.map((rule) => (rule.when === 'error-rate' ? rule.over : 0));
    memory.ended.add(now, pool.endedRequests, Math.max(...windows));
  }

  #read(rule: TrafficRule, pool: ServicePool): Reading {
    switch (rule.when) {
      case 'error-rate':
        return errorRate(pool, this.#endedWithin(pool, rule.over), rule.over, this.#options.recent);
      case 'p99':
        return p99(pool, rule.over, this.#options.recent);
      case 'saturation':
        return saturation(pool, this.#roomInUse(pool));
      case 'unhealthy':
        return unhealthy(pool);
    }
  }

  #endedWithin(pool: ServicePool, ms: number) {
    const before = this.#memoryOf(pool).ended.asOf(this.#options.clock.monotonic() - ms);
    const { ended, failed } = pool.endedRequests;
    return { ended: ended - (before?.ended ?? ended), failed: failed - (before?.failed ?? failed) };
  }

  #roomInUse(pool: ServicePool): number | null {
    const { room, sum, looks } = this.#memoryOf(pool);
    const before = room.asOf(this.#options.clock.monotonic() - ROOM_MS) ?? { sum: 0, looks: 0 };
    const within = looks - before.looks;
    return within === 0 ? null : (sum - before.sum) / within;
  }

  #memoryOf(pool: ServicePool): PoolMemory {
    const known = this.#memories.get(pool);
    if (known !== undefined) return known;
    const memory: PoolMemory = { ended: new History(), room: new History(), sum: 0, looks: 0 };
    memory.room.add(this.#options.clock.monotonic(), { sum: 0, looks: 0 }, ROOM_MS);
    this.#memories.set(pool, memory);
    return memory;
  }
}

function isTrafficRule(rule: AlertRule): rule is TrafficRule {
  return isOfKind(rule, TRAFFIC_KINDS);
}

function concerns(rule: AlertRule, service: string): boolean {
  return 'services' in rule && (rule.services.length === 0 || rule.services.includes(service));
}
