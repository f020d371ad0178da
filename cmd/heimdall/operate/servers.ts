import type { InstanceView } from '../../../internal/model/instance-view.ts';
import type { Status } from '../../../internal/model/lifecycle.ts';
import { confirm } from '../terminal/confirm.ts';
import { numberOrDefault, optionalNumber, variables } from './arguments.ts';
import { instanceNamed } from './instance-named.ts';
import { removeInstance } from './remove-instance.ts';
import { serversText, serverText } from './servers-text.ts';
import { type OperateOptions, openSession, print, type Session } from './session.ts';
import { drainOf, waited } from './waiting.ts';

const HIGHEST_PORT = 65_535;
const MOST_AT_ONCE = 100;
const HIGHEST_WEIGHT = 1_000;

export interface AddOptions extends OperateOptions {
  readonly count?: string;
  readonly weight?: string;
  readonly port?: string;
  readonly node?: string;
  readonly version?: string;
  readonly env?: readonly string[];
  readonly wait: boolean;
}

/** `heimdall servers list` */
export async function listServers(
  options: OperateOptions & { readonly service?: string; readonly status?: Status },
): Promise<void> {
  const session = await openSession(options);
  const instances = await session.client.servers.list({ service: options.service, status: options.status });
  print(session, instances, () => serversText(instances, session.paint, Date.now()));
}

/** `heimdall servers get` */
export async function getServer(name: string, options: OperateOptions): Promise<void> {
  const session = await openSession(options);
  const instance = instanceNamed(await session.client.servers.list(), name);
  print(session, instance, () => serverText(instance, session.paint, Date.now()));
}

/** `heimdall servers add`: resolves when they are ready. */
export async function addServers(service: string | undefined, options: AddOptions): Promise<void> {
  const count = optionalNumber('--count', options.count, 1, MOST_AT_ONCE);
  const body = {
    service,
    count,
    weight: optionalNumber('--weight', options.weight, 1, HIGHEST_WEIGHT),
    port: optionalNumber('--port', options.port, 1, HIGHEST_PORT),
    version: options.version,
    env: variables(options.env),
  };
  const session = await openSession(options);
  const what = count === undefined || count === 1 ? 'an instance' : `${count} instances`;
  const added = await waited(session, `starting ${what}${service === undefined ? '' : ` of ${service}`}`, (signal) =>
    session.client.servers.add(body, { wait: options.wait, node: options.node, signal }),
  );
  print(session, added, () => serversText(added, session.paint, Date.now()));
}

/** `heimdall servers remove`: one after the other; resolves when they are gone. */
export async function removeServers(
  names: readonly string[],
  options: OperateOptions & { readonly force: boolean; readonly yes: boolean },
): Promise<void> {
  const session = await openSession(options);
  const instances = await session.client.servers.list();
  const chosen = names.map((name) => instanceNamed(instances, name));
  const { force } = options;
  if (force) await confirm(`Remove ${idsOf(chosen)} at once, and cut off the requests that run there?`, options.yes);
  const removed: InstanceView[] = [];
  for (const instance of chosen) {
    removed.push(await removeOne(session, instance, force));
    if (!session.json) process.stdout.write(`${instance.id} (port ${instance.port}) is gone\n`);
  }
  if (session.json) print(session, removed, () => '');
}

async function removeOne(session: Session, instance: InstanceView, force: boolean): Promise<InstanceView> {
  const what = force ? `stopping ${instance.id}` : `draining ${instance.id}`;
  const looking = new AbortController();
  const detail = force ? undefined : drainOf(session, instance.id, looking.signal);
  try {
    return await waited(session, what, (signal) => removeInstance(session.client, instance, { force, signal }), detail);
  } finally {
    looking.abort();
  }
}

/** `heimdall servers restart`: another instance in the place of each, one after the other. */
export async function restartServers(
  names: readonly string[],
  options: OperateOptions & { readonly wait: boolean },
): Promise<void> {
  const session = await openSession(options);
  const instances = await session.client.servers.list();
  const chosen = names.map((name) => instanceNamed(instances, name));
  const successors: InstanceView[] = [];
  for (const { id } of chosen) {
    const successor = await waited(session, `another instance takes the place of ${id}`, (signal) =>
      session.client.servers.restart(id, { wait: options.wait, signal }),
    );
    successors.push(successor);
    const words = options.wait ? 'has taken the place of' : 'takes the place of';
    if (!session.json) process.stdout.write(`${successor.id} (port ${successor.port}) ${words} ${id}\n`);
  }
  if (session.json) print(session, successors, () => '');
}

/** `heimdall servers weight` */
export async function weighServer(name: string, weight: string, options: OperateOptions): Promise<void> {
  const value = numberOrDefault('WEIGHT', weight, 1, HIGHEST_WEIGHT);
  const session = await openSession(options);
  const { id } = instanceNamed(await session.client.servers.list(), name);
  const instance = await session.client.servers.weigh(id, value);
  print(session, instance, () => `${instance.id} has the weight ${instance.weight} now\n`);
}

function idsOf(instances: readonly InstanceView[]): string {
  return instances.map(({ id }) => id).join(', ');
}
