import type { AlertSink } from '../../../pkg/alerts/alert.ts';
import type { Instance } from '../../model/instance.ts';
import { ANNOUNCEMENT_TTL_MS } from '../../registry/announcements.ts';
import { inSeconds } from '../running-process.ts';

/** A host that was taken away for good is no news after so long, in milliseconds. */
const NEWS_MS = 3_600_000;
/** That are named; of the others there is the number. */
const NAMED = 5;

/** Alerts of agents that fell silent: one for each, however many instances they had. */
export class SilentAgents {
  readonly #alerts: AlertSink;
  /** When each fell silent, by agent; epoch milliseconds. */
  readonly #since = new Map<string, number>();

  constructor(alerts: AlertSink) {
    this.#alerts = alerts;
  }

  /** @param expired - instances whose agents gave no sign of life. @param now - epoch milliseconds. */
  look(expired: readonly Instance[], now: number): void {
    for (const [agent, instances] of Map.groupBy(expired, (each) => each.agent?.id ?? '')) {
      const ids = instances.map(({ id }) => id);
      const named = ids.slice(0, NAMED).join(', ');
      const rest = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : '';
      const cause = `no sign of life for ${inSeconds(ANNOUNCEMENT_TTL_MS)}; out of rotation: ${named}${rest}`;
      this.#since.set(agent, now);
      this.#alerts.raise({ key: keyOf(agent), severity: 'warning', title: `agent ${agent} is gone`, cause, at: now });
    }
    for (const [agent, since] of this.#since) if (now - since > NEWS_MS) this.heard(agent, now);
  }

  heard(agent: string, now: number): void {
    this.#since.delete(agent);
    this.#alerts.resolve(keyOf(agent), now);
  }
}

function keyOf(agent: string): string {
  return `agent-gone:${agent}`;
}
