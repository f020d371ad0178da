import type { Reading } from '../../../pkg/alerts/rules/reading.ts';
import type { RuleOf } from '../../../pkg/alerts/rules/schema.ts';
import { formatDuration } from '../../../pkg/alerts/words.ts';
import { withoutPort } from '../../health/probe-connection.ts';
import { authority } from '../../model/address.ts';
import type { Service } from '../../model/service.ts';
import type { CertificateBook, CertificateEnd, CertificateHolder } from './certificate-book.ts';

/** An instance, as far as its certificate is concerned. */
export interface Addressed {
  readonly id: string;
  readonly service: string;
  readonly host: string;
  readonly port: number;
}

const NOT_READ: CertificateEnd = { validTo: null, failure: '' };

interface Found {
  readonly who: string;
  readonly end: CertificateEnd | undefined;
}

/** Of the one address that the rule names, or of every service whose health checks use HTTPS. */
export function certificateReadings(
  rule: RuleOf<'certificate'>,
  services: readonly Service[],
  instances: readonly Addressed[],
  book: CertificateBook,
  now: number,
): Reading[] {
  if (rule.of !== undefined) {
    const subject = authority(rule.of.host, rule.of.port);
    return [readingOf({ subject }, [{ who: subject, end: book.endOf({ ...rule.of, name: rule.of.host }) }], now)];
  }
  return services
    .filter(({ healthCheck }) => healthCheck.type === 'https')
    .map((service) => {
      const own = instances.filter((instance) => instance.service === service.name);
      const found = own.map((instance) => ({ who: instance.id, end: book.endOf(holderOf(service, instance)) }));
      return readingOf({ subject: service.name, service: service.name }, found, now);
    });
}

/** Asked for the name that the health check asks for. */
function holderOf({ healthCheck }: Service, { host, port }: Addressed): CertificateHolder {
  const name = healthCheck.host === undefined ? host : withoutPort(healthCheck.host);
  return { host, port, name };
}

function readingOf(subject: Pick<Reading, 'subject' | 'service'>, found: readonly Found[], now: number): Reading {
  const ends = found.flatMap(({ who, end: { validTo } = NOT_READ }) =>
    validTo === null ? [] : [{ who, left: validTo - now }],
  );
  const [first] = ends.toSorted((a, b) => a.left - b.left);
  const failure = found.map(({ end }) => end?.failure).find((text) => text !== undefined && text !== '');
  return {
    ...subject,
    value: first?.left ?? null,
    words: first === undefined ? (failure ?? 'not read yet') : `the one of ${first.who} ${leftOf(first.left, now)}`,
    advice: () => ['next: renew it, and have the server load it; it is looked at again every ten minutes'],
  };
}

function leftOf(left: number, now: number): string {
  const date = new Date(now + left).toISOString().slice(0, 10);
  return left > 0 ? `ends in ${formatDuration(left)}, on ${date}` : `ended ${formatDuration(-left)} ago, on ${date}`;
}
