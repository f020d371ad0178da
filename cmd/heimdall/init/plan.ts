import { dirname, relative } from 'node:path';
import type { z } from 'zod';
import type { ConfigSchema } from '../../../internal/config/schema.ts';
import type { CommandLine } from './command-line.ts';

type ConfigInput = z.input<typeof ConfigSchema>;

/** A check that only connects. */
export const TCP = 'tcp';

/** Where heimdall itself listens. */
export interface OwnPorts {
  readonly proxy: number;
  readonly admin: number;
  readonly manager: number;
}

export const DEFAULT_PORTS: OwnPorts = { proxy: 8080, admin: 8081, manager: 7000 };

/** What is to be known of an app to run it. */
export interface Plan {
  readonly name: string;
  readonly command: CommandLine;
  readonly instances: number;
  readonly ports: OwnPorts;
  /** A path, or `TCP`. */
  readonly health: string;
  /** A URL that alerts are sent to; null: none. */
  readonly webhook: string | null;
  /** Whom alerts are mailed to, by which server; null: nobody. */
  readonly mail: { readonly to: string; readonly server: string } | null;
}

/** A configuration with what differs from the defaults. @param file - where it will be; @param folder - of the app; both absolute. */
export function configOf(plan: Plan, file: string, folder: string): ConfigInput {
  const { proxy, admin, manager } = plan.ports;
  const adminPart = admin === DEFAULT_PORTS.admin ? {} : { admin: { port: admin } };
  const proxyPart = { ...(proxy === DEFAULT_PORTS.proxy ? {} : { port: proxy }), ...adminPart };
  const alerts = alertsOf(plan);
  return {
    ...(manager === DEFAULT_PORTS.manager ? {} : { manager: { port: manager } }),
    ...(Object.keys(proxyPart).length === 0 ? {} : { proxy: proxyPart }),
    services: [serviceOf(plan, relative(dirname(file), folder))],
    ...(Object.keys(alerts).length === 0 ? {} : { alerts }),
  };
}

function serviceOf({ name, command: { command, env }, instances, health }: Plan, cwd: string) {
  return {
    name,
    command: [...command],
    instances,
    ...(Object.keys(env).length === 0 ? {} : { env: { ...env } }),
    ...(cwd === '' ? {} : { cwd }),
    ...(health === TCP ? { healthCheck: { type: 'tcp' as const } } : { healthCheck: { path: health } }),
  };
}

function alertsOf({ webhook, mail }: Plan): ConfigInput['alerts'] & object {
  return {
    ...(webhook === null ? {} : { webhooks: [{ url: webhook, ...formatOf(webhook) }] }),
    ...(mail === null ? {} : { email: [{ ...serverOf(mail.server), from: mail.to, to: [mail.to] }] }),
  };
}

/** Services that everybody knows ask for a form of their own. */
function formatOf(webhook: string): { readonly format?: 'slack' | 'discord' | 'teams' } {
  const { hostname } = URL.parse(webhook) ?? { hostname: '' };
  if (hostname === 'hooks.slack.com') return { format: 'slack' };
  if (hostname === 'discord.com') return { format: 'discord' };
  return hostname.endsWith('.webhook.office.com') ? { format: 'teams' } : {};
}

/** `mail.example.com` or `mail.example.com:2525`; on port 25 of this machine nobody speaks TLS. */
function serverOf(server: string) {
  const [, host = server, port] = /^(.+?)(?::(\d+))?$/.exec(server) ?? [];
  const isLocal = host === 'localhost' || host === '127.0.0.1';
  return {
    host,
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(isLocal ? { encryption: 'none' as const } : {}),
  };
}
