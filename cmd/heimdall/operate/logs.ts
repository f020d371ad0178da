import { HeimdallApiError } from '../../../internal/client/errors.ts';
import type { InstanceView } from '../../../internal/model/instance-view.ts';
import type { LogLine, LogStream } from '../../../internal/model/log-line.ts';
import { wholeNumber } from './arguments.ts';
import { LogFollower } from './follow-logs.ts';
import { untilInterrupted } from './interrupt.ts';
import { formerInstance, type LogChoice, logChoice } from './log-choice.ts';
import { LogPrinter } from './log-printer.ts';
import { type OperateOptions, openSession, print, type Session } from './session.ts';

const MOST_LINES = 10_000;

export interface LogsOptions extends OperateOptions {
  readonly follow: boolean;
  readonly lines: string;
  readonly stream?: LogStream;
}

/** `heimdall logs`: what an instance, or those of a service, have written last; with `follow` also what they write from now on. */
export async function logs(name: string | undefined, options: LogsOptions): Promise<void> {
  const { follow, stream } = options;
  const lines = wholeNumber('--lines', options.lines, 0, MOST_LINES);
  const session = await openSession(options);
  const { client } = session;
  const [services, instances] = await Promise.all([client.services.list(), client.servers.list()]);
  const names = services.map((service) => service.name);
  const isFormer = name !== undefined && (await isOver(session, name, names, instances));
  const choice = isFormer ? formerInstance(name) : logChoice(name, names, instances);
  const wishes = { lines, stream };
  if (follow && !isFormer) return followed(session, choice, wishes);
  const chosen = choice.of(instances);
  const found = await Promise.all(
    chosen.map(async ({ id }) => ({ id, lines: await linesOf(session, id, wishes, choice) })),
  );
  if (session.json) {
    const all = found.flatMap(({ id, lines }) => lines.map((line) => ({ instance: id, ...line })));
    print(session, all, () => '');
    return;
  }
  const printer = printerOf(session, choice);
  for (const { id } of found) printer.expect(id);
  for (const { id, lines } of found) for (const line of lines) await printer.print(id, line);
}

/** Whether this is the id of an instance that is no more, and what it has written is still kept. */
async function isOver(
  { client }: Session,
  name: string,
  services: readonly string[],
  instances: readonly InstanceView[],
): Promise<boolean> {
  if (services.includes(name) || instances.some(({ id, port }) => id === name || String(port) === name)) return false;
  return client.servers.logs(name, { lines: 0 }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof HeimdallApiError) return false;
      throw error;
    },
  );
}

async function followed(
  session: Session,
  choice: LogChoice,
  wishes: { readonly lines: number; readonly stream: LogStream | undefined },
): Promise<void> {
  const printer = printerOf(session, choice);
  const tell = (text: string) => {
    if (!session.json && !choice.isOne) process.stderr.write(`${text}\n`);
  };
  const follower = new LogFollower(session.client, choice, wishes, {
    joined: (id) => {
      printer.expect(id);
      tell(`heimdall: following ${id}`);
    },
    line: (id, line) => printer.print(id, line),
    left: (id) => tell(`heimdall: ${id} is gone`),
    lost: () => process.stderr.write('heimdall: the manager cannot be reached; trying again, lines may be missing\n'),
  });
  await untilInterrupted((signal) => follower.run(signal));
}

/** heimdall has no logs of what somebody else runs; that matters only when it was asked for by name. */
async function linesOf(
  { client }: Session,
  id: string,
  wishes: { readonly lines: number; readonly stream: LogStream | undefined },
  { isOne }: LogChoice,
): Promise<readonly LogLine[]> {
  return client.servers.logs(id, wishes).catch((error: unknown) => {
    if (!isOne && error instanceof HeimdallApiError && ['NOT_SPAWNED', 'INSTANCE_NOT_FOUND'].includes(error.code))
      return [];
    throw error;
  });
}

function printerOf({ json, paint }: Session, { isOne }: LogChoice): LogPrinter {
  const isColoured = paint('red', '') !== '';
  const terminal = !process.stdout.isTTY ? 'none' : isColoured ? 'colours' : 'plain';
  return new LogPrinter(process.stdout, { json, isPrefixed: !isOne, terminal, paint });
}
