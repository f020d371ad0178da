import type { Alert, FoldingSink } from '../../pkg/alerts/alert.ts';
import { type ExaminedService, HealthAlerts, type LastWordsOf } from '../health/health-alerts.ts';

export interface FrontAlertsOptions {
  /** What it is, and where: `nginx on host-a`. */
  readonly front: string;
  /** Told apart from those of other fronts by this. */
  readonly proxyId: string;
  readonly sink: FoldingSink & { takeOver(): Promise<Alert[]> };
  /** Takes over channels that came through the API. Never rejects. */
  readonly follow: () => Promise<void>;
  readonly lastWords: LastWordsOf;
  /** Those that the front serves, as they are now; null: nothing is known of them yet. */
  readonly services: () => readonly ExaminedService[] | null;
  /** Whether there are others, which the front does not serve. */
  readonly areSome: () => boolean;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Whether there may be several nodes, so that alerts say which. */
  readonly namesNodes: boolean;
}

/** Tells people what is wrong with the servers of a front, as load balancers of heimdall's own do, and with the front itself. */
export class FrontAlerts {
  readonly #options: FrontAlertsOptions;
  readonly #health: HealthAlerts;
  #known = new Set<string>();
  #leading = false;
  #isDue = false;

  constructor(options: FrontAlertsOptions) {
    this.#options = options;
    this.#health = new HealthAlerts(options.sink, options.now, options.lastWords, options.namesNodes);
  }

  /** Something about the services has changed; what changes in one turn of the event loop is looked at once. */
  changed(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.look());
  }

  /** Nodes that are away, of which a manager tells. */
  away(nodes: readonly string[]): void {
    this.#health.away(new Set(nodes));
    this.changed();
  }

  look(): void {
    this.#isDue = false;
    const services = this.#options.services() ?? [];
    const names = new Set(services.map(({ name }) => name));
    for (const name of this.#known) if (!names.has(name)) this.#health.removed(name);
    for (const service of services) this.#health.update(service);
    this.#known = names;
  }

  /**
   * To be called with every heartbeat. Whoever speaks goes on with what others have begun to tell, so it must know something.
   * Never rejects.
   * @param isFirst - whether it is the one to speak for all that serve the same.
   */
  async lead(isFirst: boolean): Promise<void> {
    const { follow, areSome, services } = this.#options;
    await follow();
    const leading = isFirst && services() !== null;
    const begins = leading && !this.#leading;
    this.#leading = leading;
    // Where it serves only some it cannot judge the rest, and gives that back: asked again and again, that would have no end.
    const inherited = leading && (begins || !areSome()) ? await this.#options.sink.takeOver() : [];
    this.#health.lead(leading);
    if (inherited.length > 0) this.#inherit(inherited);
  }

  /** @param why - for people; null: all is well again. */
  behind(why: string | null): void {
    const { front } = this.#options;
    this.#trouble('front-behind', why, {
      severity: 'critical',
      title: `${front} does not take changes over`,
      cause: `${why ?? ''}. It goes on with the instances that it had; removing one waits for it.`,
    });
  }

  /** @param warnings - what it could not be told, for people; none: nothing. */
  warned(warnings: readonly string[]): void {
    const cause = warnings.join('\n');
    this.#trouble('front-lacks', cause === '' ? null : cause, {
      severity: 'warning',
      title: `${this.#options.front} lacks instances`,
      cause,
    });
  }

  #inherit(inherited: readonly Alert[]): void {
    const { sink, areSome } = this.#options;
    const services = this.#options.services() ?? [];
    const own = new Set(services.map(({ name }) => name));
    const [known, foreign] = [new Array<Alert>(), new Array<Alert>()];
    for (const alert of inherited) {
      const isForeign = areSome() && alert.service !== undefined && !own.has(alert.service);
      (isForeign ? foreign : known).push(alert);
    }
    for (const { key } of foreign) sink.release(key);
    // What is not about health troubled those alone who are gone.
    for (const { key } of this.#health.inherit(known, services)) sink.resolve(key, this.#options.now());
  }

  #trouble(kind: string, why: string | null, alert: Pick<Alert, 'severity' | 'title' | 'cause'>): void {
    const { sink, proxyId, now } = this.#options;
    const key = `${kind}:${proxyId}`;
    if (why === null) sink.resolve(key, now());
    else sink.raise({ key, ...alert, at: now() });
  }
}
