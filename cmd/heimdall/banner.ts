import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { LoadedConfig } from '../../internal/config/load.ts';
import { STATUSES } from '../../internal/model/lifecycle.ts';

const POLL_MS = 200;
/** The banner does not wait longer for instances that are slow or broken: the list tells their state. */
const WAIT_MS = 15_000;

const ListSchema = z.array(
  z.object({ id: z.string(), service: z.string(), url: z.string(), status: z.enum(STATUSES), pid: z.int().nullable() }),
);
type ListedInstance = z.infer<typeof ListSchema>[number];

/** Asks the manager until no instance is starting any more; then what there is, in whatever state. */
export async function waitForInstances(api: string, token: string | undefined): Promise<readonly ListedInstance[]> {
  const deadline = performance.now() + WAIT_MS;
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  let instances: readonly ListedInstance[] = [];
  do {
    await delay(POLL_MS);
    try {
      const response = await fetch(`${reachable(api)}/servers/list`, { headers });
      instances = ListSchema.parse(await response.json());
    } catch {
      continue; // the manager is being started again
    }
    if (!instances.some(({ status }) => status === 'starting')) break;
  } while (performance.now() < deadline);
  return instances;
}

/** What runs where, and what to try first. @param keep - whether the instances run on at the end. */
export function banner(
  { path, config }: LoadedConfig,
  addresses: Readonly<Record<string, string>>,
  instances: readonly ListedInstance[],
  keep: boolean,
): string {
  const [api, proxy, admin] = [addresses.api, addresses.proxy, addresses.admin].map((url) => reachable(url ?? ''));
  const authorization = config.manager.token === undefined ? '' : ' -H "Authorization: Bearer $HEIMDALL_TOKEN"';
  const removable = instances.find(({ pid }) => pid !== null);
  const lines = [
    '',
    `heimdall is up (${path ?? 'built-in sample configuration: there is no ./config.json'})`,
    '',
    `  load balancer   ${proxy}   (admin ${admin})`,
    `  dashboard       ${api}/   (in a browser)`,
    `  server manager  ${api}`,
    ...instances.map(
      ({ id, url, status, pid }) => `  ${id.padEnd(18)} ${url}   ${status}${pid === null ? '' : `, pid ${pid}`}`,
    ),
    ...(instances.length === 0 ? ['  no instances yet'] : []),
    '',
    'Try:',
    `  curl ${proxy}/`,
    `  curl${authorization} ${api}/servers/list`,
    `  curl${authorization} -X POST ${api}/servers/add`,
    ...(removable
      ? [`  curl${authorization} -X DELETE '${api}/servers/remove?port=${new URL(removable.url).port}'`]
      : []),
    '',
    keep ? 'Ctrl-C stops heimdall; the instances run on.' : 'Ctrl-C drains and stops everything.',
    '',
    '',
  ];
  return lines.join('\n');
}

/** A wildcard address is none that can be asked; this machine is meant. */
export function reachable(url: string): string {
  return url.replace('://0.0.0.0:', '://localhost:').replace('://[::]:', '://localhost:');
}
