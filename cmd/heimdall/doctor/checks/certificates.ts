import type { Config } from '../../../../internal/config/schema.ts';
import { withoutPort } from '../../../../internal/health/probe-connection.ts';
import { authority } from '../../../../internal/model/address.ts';
import { messageOf } from '../../../../internal/model/errors.ts';
import { type Finding, well } from '../finding.ts';
import type { Machine } from '../machine.ts';

const DAY_MS = 86_400_000;
const SOON_MS = 14 * DAY_MS;

/** Until when the certificates of servers are valid whose health checks use HTTPS. */
export async function checkCertificates({ services }: Config, machine: Machine): Promise<Finding[]> {
  const asked = services
    .filter(({ healthCheck }) => healthCheck.type === 'https')
    .flatMap(({ servers, healthCheck }) => {
      const name = healthCheck.host === undefined ? null : withoutPort(healthCheck.host);
      return servers.map(({ host, port }) => ({ host, port, name: name ?? host }));
    });
  return Promise.all(
    asked.map(async (holder): Promise<Finding> => {
      const about = 'certificate';
      const who = authority(holder.host, holder.port);
      try {
        return judged(about, who, (await machine.validTo(holder)) - machine.now());
      } catch (error) {
        const message = `${who} shows none: ${messageOf(error)}`;
        return { level: 'warning', about, message, advice: 'check that the server runs and speaks TLS' };
      }
    }),
  );
}

function judged(about: string, who: string, leftMs: number): Finding {
  const days = Math.floor(Math.abs(leftMs) / DAY_MS);
  if (leftMs >= SOON_MS) return well(about, `${who}: valid for ${days} days`);
  const message = leftMs > 0 ? `${who}: valid for ${days} more days` : `${who}: expired ${days} days ago`;
  return { level: leftMs > 0 ? 'warning' : 'broken', about, message, advice: 'renew it, and have the server load it' };
}
