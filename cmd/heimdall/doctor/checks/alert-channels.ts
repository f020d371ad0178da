import type { Config } from '../../../../internal/config/schema.ts';
import { authority } from '../../../../internal/model/address.ts';
import { type Finding, well } from '../finding.ts';
import type { Machine } from '../machine.ts';

const ABOUT = 'alerts';

/** Whether somebody would be told. Nothing is sent. */
export async function checkAlertChannels({ alerts }: Config, machine: Machine): Promise<Finding[]> {
  const targets = [
    ...alerts.email.map(({ host, port }, at) => ({ key: `alerts.email[${at}]`, host, port })),
    ...alerts.webhooks.map(({ url }, at) => ({ key: `alerts.webhooks[${at}]`, ...addressOf(url) })),
  ];
  if (targets.length === 0) {
    const advice = 'add a mail address or a webhook under "alerts"';
    return [{ level: 'hint', about: ABOUT, message: 'nobody is told when something breaks', advice }];
  }
  return Promise.all(
    targets.map(async ({ key, host, port }): Promise<Finding> => {
      const place = authority(host, port);
      const failure = await machine.connect(host, port);
      if (failure === null) return well(ABOUT, `${key}: ${place} can be reached; heimdall alerts test sends a message`);
      return {
        level: 'warning',
        about: ABOUT,
        message: `${key}: ${place} cannot be reached (${failure})`,
        advice: 'check the address, and the way there',
      };
    }),
  );
}

function addressOf(url: string): { readonly host: string; readonly port: number } {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) };
}
