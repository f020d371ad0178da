import type { Service } from '../../../chaos/schedule.ts';

export interface ServerLine {
  readonly name: string;
  readonly port: number;
}

/** The part of the configuration that changes. */
export function serversFile(balance: string, servers: Readonly<Record<Service, readonly ServerLine[]>>): string {
  const lines = (service: Service, more: (name: string) => string) =>
    servers[service].map(({ name, port }) => `  server ${name} 127.0.0.1:${port}${more(name)}`);
  return [
    'backend web',
    `  balance ${balance}`,
    ...CHECK,
    ...lines('web', () => ''),
    'backend shop',
    `  balance ${balance}`,
    '  cookie SERVERID insert indirect nocache',
    ...CHECK,
    ...lines('shop', (name) => ` cookie ${name}`),
    '',
  ].join('\n');
}

const CHECK = ['  option httpchk GET /health', '  default-server check inter 500ms fall 3 rise 1'];
