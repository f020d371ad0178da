import type { InstanceView } from '../../../internal/model/instance-view.ts';
import type { Status } from '../../../internal/model/lifecycle.ts';
import { confirm } from '../terminal/confirm.ts';
import { Progress } from '../terminal/progress.ts';
import { timeText } from '../terminal/units.ts';
import { optionalNumber, variables } from './arguments.ts';
import { instanceNamed } from './instance-named.ts';
import { untilInterrupted } from './interrupt.ts';
import { serversText, serverText } from './servers-text.ts';
import { type OperateOptions, openSession, print, type Session } from './session.ts';

const HIGHEST_PORT = 65_535;
const MOST_AT_ONCE = 100;
const HIGHEST_WEIGHT = 1_000;
const LIST_SHOWS = 'heimdall servers list shows it';

export interface AddOptions extends OperateOptions {
  readonly count?: string;
  readonly weight?: string;
  readonly port?: string;
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
    session.client.servers.add(body, { wait: options.wait, signal }),
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
  for (const { id, port } of chosen) {
    const what = force ? `stopping ${id}` : `draining ${id}: its requests finish, then it is stopped`;
    removed.push(await waited(session, what, (signal) => session.client.servers.remove(port, { force, signal })));
    if (!session.json) process.stdout.write(`${id} (port ${port}) is gone\n`);
  }
  if (session.json) print(session, removed, () => '');
}

/** Tells how long it has taken so far. After Ctrl-C the manager goes on with it. */
async function waited<T>(session: Session, what: string, action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  using progress = new Progress(session.json ? null : process.stderr);
  const begun = performance.now();
  const line = process.stderr.isTTY ? () => `${what} … ${timeText(performance.now() - begun)}` : what;
  progress.is(line);
  return untilInterrupted(action, () => `this goes on without us: ${LIST_SHOWS}`);
}

function idsOf(instances: readonly InstanceView[]): string {
  return instances.map(({ id }) => id).join(', ');
}
