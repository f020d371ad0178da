import type { Clock } from '../../clock/clock.ts';
import type { Alert, AlertSink } from '../alert.ts';
import type { Reading, RuleView } from './reading.ts';
import { firing, nextState, quiet, type RuleState } from './rule-state.ts';
import type { AlertRule } from './schema.ts';
import { conditionOf, isKeyOf, ruleKey } from './words.ts';

interface Watched {
  state: RuleState;
  /** Null: nobody has looked yet. */
  view: RuleView | null;
}

/** Holds readings against rules, and tells of those that are broken for long enough. Sets no timer: whoever owns it looks. */
export class RuleWatch {
  readonly #sink: AlertSink;
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  /** By key of the alert. */
  #watched = new Map<string, Watched>();

  constructor(sink: AlertSink, clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#sink = sink;
    this.#clock = clock;
  }

  /** People were told of these by a process before this one: they hold until a look finds otherwise. */
  inherit(alerts: readonly Alert[]): void {
    for (const { key } of alerts) this.#watched.set(key, { state: firing(this.#clock.monotonic()), view: null });
  }

  /**
   * Alerts of rules, or subjects, that are not there any more are over.
   * @param readingsOf - null: they cannot be had at present; all that is known of the rule stays as it is.
   */
  look(rules: readonly AlertRule[], readingsOf: (rule: AlertRule) => readonly Reading[] | null): void {
    const before = this.#watched;
    const kept = new Map<string, Watched>();
    for (const rule of rules) {
      const readings = readingsOf(rule);
      for (const reading of readings ?? []) {
        const key = ruleKey(rule, reading.subject);
        const known = before.get(key) ?? { state: quiet(this.#clock.monotonic()), view: null };
        kept.set(key, known);
        this.#judge(rule, reading, key, known);
      }
      if (readings !== null) continue;
      for (const [key, watched] of before) if (isKeyOf(rule, key)) kept.set(key, watched);
    }
    this.#watched = kept;
    for (const [key, { state }] of before)
      if (!kept.has(key) && state.firing) this.#sink.resolve(key, this.#clock.now());
  }

  /** As of the last look. */
  views(): RuleView[] {
    return [...this.#watched.values()].flatMap(({ view }) => view ?? []);
  }

  #judge(rule: AlertRule, reading: Reading, key: string, watched: Watched): void {
    const clock = this.#clock;
    const now = clock.monotonic();
    const verdict = isBroken(rule, reading.value);
    const { state, changedAt } = nextState(watched.state, verdict, now, rule.for ?? 0);
    watched.state = state;
    watched.view = {
      rule: rule.name === undefined ? conditionOf(rule) : `${rule.name}: ${conditionOf(rule)}`,
      severity: rule.severity,
      subject: reading.subject,
      state: nameOf(state, verdict),
      reading: reading.words,
    };
    if (changedAt === null) return;
    const at = clock.now() - (now - changedAt);
    if (state.firing) this.#sink.raise(alertOf(rule, reading, key, at));
    else this.#sink.resolve(key, at);
  }
}

function isBroken(rule: AlertRule, value: number | null): boolean | null {
  if (value === null) return null;
  return rule.when === 'certificate' ? value < rule.below : value > rule.above;
}

function nameOf(state: RuleState, verdict: boolean | null): RuleView['state'] {
  if (state.firing) return 'firing';
  return verdict === null ? 'unknown' : state.turnedAt === null ? 'ok' : 'pending';
}

function alertOf(rule: AlertRule, { subject, service, words, advice }: Reading, key: string, at: number): Alert {
  const condition = `${subject}: ${conditionOf(rule)}`;
  return {
    key,
    severity: rule.severity,
    title: rule.name === undefined ? condition : `${rule.name} (${condition})`,
    cause: [words, ...advice()].join('\n'),
    service,
    at,
  };
}
