import type { AlertRule } from '../../pkg/alerts/rules/schema.ts';
import { ruleKey } from '../../pkg/alerts/rules/words.ts';
import { nearest } from '../model/nearest.ts';
import type { Fault } from './issues.ts';
import type { Sections } from './sections.ts';

/** What is wrong with `alerts` that it cannot tell by itself. */
export function alertFaults(sections: Sections): Fault[] {
  return [...unknownServices(sections), ...repeatedRules(sections)];
}

/** A channel, or a rule, that waits for a service that does not exist would never hear of the one that was meant. */
function unknownServices({ alerts, services }: Sections): Fault[] {
  if (!alerts || services.includes(undefined)) return []; // a service with faults of its own may be the one
  const names = services.flatMap((service) => service?.name ?? []);
  return (['email', 'webhooks', 'rules'] as const).flatMap((kind) =>
    alerts[kind].flatMap((each, index) =>
      servicesOf(each).flatMap((name, at): Fault[] => {
        if (names.includes(name)) return [];
        const meant = nearest(name, names);
        const hint = meant === undefined ? '' : ` (did you mean "${meant}"?)`;
        return [{ path: ['alerts', kind, index, 'services', at], message: `there is no service "${name}"${hint}` }];
      }),
    ),
  );
}

/** Two rules whose alerts could not be told from one another. */
function repeatedRules({ alerts }: Sections): Fault[] {
  const rules = alerts?.rules ?? [];
  return rules.flatMap((rule, index) => {
    const first = rules.findIndex((other) => isSameAlert(other, rule));
    if (first === index) return [];
    return [
      { path: ['alerts', 'rules', index], message: `repeats alerts.rules[${first}]; give it a "name" of its own` },
    ];
  });
}

function isSameAlert(a: AlertRule, b: AlertRule): boolean {
  if (ruleKey(a, subjectOf(a)) !== ruleKey(b, subjectOf(b))) return false;
  const [some, others] = [servicesOf(a), servicesOf(b)];
  return some.length === 0 || others.length === 0 || some.some((name) => others.includes(name));
}

/** What a rule is about, but for services. */
function subjectOf(rule: AlertRule): string {
  return 'of' in rule ? JSON.stringify(rule.of) : '';
}

function servicesOf(of: { readonly services: readonly string[] } | object): readonly string[] {
  return 'services' in of ? of.services : [];
}
