import { isUnreachable } from '../health/silence.ts';
import type { HealthRecord } from '../model/health.ts';
import type { EjectionRecord } from '../model/ejection.ts';
import type { LatencyRecord } from '../registry/registry.ts';
import type { Upstream } from './upstream.ts';

/** What is known of instances from before a restart, by incarnation, until they are seen. */
export class Memories {
  readonly #health: Map<string, HealthRecord>;
  readonly #latencies: Map<string, LatencyRecord>;
  readonly #ejections: Map<string, EjectionRecord>;

  constructor(
    health: readonly HealthRecord[] = [],
    latencies: readonly LatencyRecord[] = [],
    ejections: readonly EjectionRecord[] = [],
  ) {
    this.#health = new Map(health.map((record) => [record.incarnation, record]));
    this.#latencies = new Map(latencies.map((record) => [record.incarnation, record]));
    this.#ejections = new Map(ejections.map((record) => [record.incarnation, record]));
  }

  /**
   * What is remembered is used once: it is old news by the time it might come again.
   * @param epoch - what the pools' clock says plus this are epoch milliseconds.
   */
  recall(upstream: Upstream, epoch: number): void {
    const { incarnation } = upstream;
    const health = this.#health.get(incarnation);
    if (health) recallHealth(upstream, health);
    const ejection = this.#ejections.get(incarnation);
    if (ejection) {
      const { cause, since, until, times } = ejection;
      upstream.standing = 'ejected';
      upstream.ejection = { cause, since, until, times };
    }
    const latency = this.#latencies.get(incarnation);
    if (latency) {
      upstream.cost = latency.cost;
      upstream.costAt = latency.at - epoch;
    }
    this.#health.delete(incarnation);
    this.#ejections.delete(incarnation);
    this.#latencies.delete(incarnation);
  }
}

/** What is ejected passed its checks. */
function recallHealth(upstream: Upstream, { health, cause, since }: HealthRecord): void {
  upstream.health = health === 'ejected' ? 'healthy' : health;
  upstream.healthCause = cause;
  upstream.healthSince = since;
  upstream.unreachable = health === 'unhealthy' && isUnreachable(cause);
}
