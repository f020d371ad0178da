import type { Alert, AlertSink } from '../../../pkg/alerts/alert.ts';
import { HOST_KINDS, isKeyOfKind, isOfKind } from '../../../pkg/alerts/rules/kinds.ts';
import type { Reading, RuleView } from '../../../pkg/alerts/rules/reading.ts';
import { RuleWatch } from '../../../pkg/alerts/rules/rule-watch.ts';
import type { AlertRule, RuleOf } from '../../../pkg/alerts/rules/schema.ts';
import type { Clock } from '../../../pkg/clock/clock.ts';
import type { Logger } from '../../../pkg/logger/logger.ts';
import { messageOf } from '../../model/errors.ts';
import type { EventCount, EventCountQuery } from '../../model/event.ts';
import type { Service } from '../../model/service.ts';
import { CertificateBook } from './certificate-book.ts';
import { type Addressed, certificateReadings } from './certificates.ts';
import { Disks } from './disk.ts';
import { QUOTED_ENDS, restartsReading, UNEXPECTED_ENDS } from './restarts.ts';

/** Between two looks, in milliseconds. */
const LOOK_MS = 10_000;

type HostRule = RuleOf<(typeof HOST_KINDS)[number]>;

export interface HostRulesOptions {
  /** Takes what only this machine knows. */
  readonly sink: AlertSink;
  /** Takes what the managers of all machines find alike; default: the same. */
  readonly jointSink?: AlertSink;
  readonly clock: Clock;
  readonly log: Logger;
  readonly countEvents: (query: EventCountQuery) => Promise<readonly EventCount[]>;
  readonly instances: () => Promise<readonly Addressed[]>;
  /** The folder that a rule about a disk is about unless it names another one. */
  readonly dataDir: string;
  /** Reads certificates; by default it asks their holders. */
  readonly certificates?: CertificateBook;
  /** Looks at file systems. */
  readonly disks?: Disks;
}

/** The rules about what the manager sees: how often instances end, certificates, and disks. Without any it does nothing. */
export class HostRules {
  readonly #options: HostRulesOptions;
  readonly #watch: RuleWatch;
  readonly #certificates: CertificateBook;
  readonly #disks: Disks;
  #rules: readonly HostRule[] = [];
  #services: readonly Service[] = [];
  #looking: Promise<void> = Promise.resolve();
  #cancelTimer: (() => void) | null = null;
  #isStopped = false;

  constructor(options: HostRulesOptions) {
    this.#options = options;
    this.#watch = new RuleWatch(sinkOf(options), options.clock);
    this.#certificates = options.certificates ?? new CertificateBook(options.clock);
    this.#disks = options.disks ?? new Disks(options.clock);
  }

  /** Takes over what a manager before this one has told of; to be called before `configure`. */
  inherit(alerts: readonly Alert[]): void {
    this.#watch.inherit(alerts.filter(({ key }) => isKeyOfKind(key, HOST_KINDS)));
  }

  /** What is about no rule of these any more is over. Resolves after the first look. */
  async configure(rules: readonly AlertRule[], services: readonly Service[]): Promise<void> {
    this.#rules = rules.filter(isHostRule);
    this.#services = services;
    this.#cancelTimer?.();
    await this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
  }

  /** As of the last look. */
  views(): RuleView[] {
    return this.#watch.views();
  }

  /** One look at a time; never rejects. */
  #look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#lookOnce());
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const { clock } = this.#options;
    const rules = this.#rules;
    const found = new Map(await Promise.all(rules.map(async (rule) => [rule, await this.#read(rule)] as const)));
    if (this.#isStopped || rules !== this.#rules) return; // the look that follows knows better
    this.#watch.look(rules, (rule) => (isHostRule(rule) ? (found.get(rule) ?? null) : []));
    this.#cancelTimer?.();
    if (rules.length > 0) this.#cancelTimer = clock.after(LOOK_MS, () => void this.#look());
  }

  async #read(rule: HostRule): Promise<readonly Reading[] | null> {
    const { clock, countEvents, instances, dataDir, log } = this.#options;
    try {
      if (rule.when === 'disk') return [await this.#disks.reading(rule.of ?? dataDir)];
      if (rule.when === 'certificate') {
        const all = rule.of === undefined ? await instances() : [];
        return certificateReadings(rule, this.#services, all, this.#certificates, clock.now());
      }
      const since = clock.now() - rule.over;
      const ends = await countEvents({ types: UNEXPECTED_ENDS, since, latest: QUOTED_ENDS });
      return this.#concerned(rule).map((service) => restartsReading(service, ends, rule.over));
    } catch (error) {
      log.debug({ rule: rule.when, reason: messageOf(error) }, 'a rule could not be looked at');
      return null;
    }
  }

  #concerned({ services }: RuleOf<'restarts'>): string[] {
    const names = this.#services.map(({ name }) => name);
    return services.length === 0 ? names : names.filter((name) => services.includes(name));
  }
}

/** Of what is found, only disks are this machine's own. */
function sinkOf({ sink, jointSink = sink }: HostRulesOptions): AlertSink {
  const sinkFor = (key: string) => (isKeyOfKind(key, ['disk']) ? sink : jointSink);
  return {
    raise: (alert) => sinkFor(alert.key).raise(alert),
    resolve: (key, at) => sinkFor(key).resolve(key, at),
  };
}

function isHostRule(rule: AlertRule): rule is HostRule {
  return isOfKind(rule, HOST_KINDS);
}
