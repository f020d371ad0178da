import type { Alert, AlertSink } from '../../../pkg/alerts/alert.ts';
import type { Instance } from '../../model/instance.ts';
import { ANNOUNCEMENT_TTL_MS } from '../../registry/announcements.ts';
import { inSeconds } from '../running-process.ts';

/** A host that was taken away for good is no news after so long, in milliseconds. */
const NEWS_MS = 3_600_000;
/** That are named; of the others there is the number. */
const NAMED = 5;

const KIND = 'agent-gone:';

interface Silence {
  /** Epoch milliseconds. */
  readonly since: number;
  /** Ids of its instances that are there all the same, the last ones of their services; null: not known yet. */
  left: ReadonlySet<string> | null;
}

/** Alerts of agents that fell silent: one for each, however many instances they had. */
export class SilentAgents {
  readonly #alerts: AlertSink;
  /** By agent. */
  readonly #silent = new Map<string, Silence>();

  constructor(alerts: AlertSink) {
    this.#alerts = alerts;
  }

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#silent.size === 0;
  }

  /**
   * @param expired - instances whose agents gave no sign of life. @param present - the announced ones that are there.
   * @param now - epoch milliseconds.
   */
  look(expired: readonly Instance[], present: readonly Instance[], now: number): void {
    const idsOf = (agent: string) => present.flatMap((each) => (each.agent?.id === agent ? each.id : []));
    for (const [agent, instances] of Map.groupBy(expired, (each) => each.agent?.id ?? '')) {
      const ids = instances.map(({ id }) => id);
      const named = ids.slice(0, NAMED).join(', ');
      const rest = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : '';
      const cause = `no sign of life for ${inSeconds(ANNOUNCEMENT_TTL_MS)}; out of rotation: ${named}${rest}`;
      this.#silent.set(agent, { since: now, left: new Set(idsOf(agent)) });
      const title = `agent ${agent} is gone`;
      const node = instances[0]?.node ?? undefined; // where it ran, not where it is missed
      this.#alerts.raise({ key: keyOf(agent), severity: 'warning', title, cause, node, at: now });
    }
    for (const [agent, silence] of this.#silent) {
      const ids = idsOf(agent);
      const left = (silence.left ??= new Set(ids));
      const isBack = ids.some((id) => !left.has(id)); // it may have told another manager, or etcd
      if (isBack || now - silence.since > NEWS_MS) this.heard(agent, now);
    }
  }

  /** Goes on with what a manager before this one has told, or one that is gone. @param told - alerts of all kinds. */
  inherit(told: readonly Alert[]): void {
    for (const alert of told.filter(({ key }) => key.startsWith(KIND))) {
      this.#silent.set(alert.key.slice(KIND.length), { since: alert.at, left: null });
      this.#alerts.raise(alert);
    }
  }

  heard(agent: string, now: number): void {
    if (this.#silent.delete(agent)) this.#alerts.resolve(keyOf(agent), now);
  }
}

function keyOf(agent: string): string {
  return `${KIND}${agent}`;
}
