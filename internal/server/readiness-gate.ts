import { systemClock } from '../../pkg/clock/clock.ts';
import { type ProbeResult, probe } from '../health/probe.ts';
import { waitUntilReady } from '../health/readiness.ts';
import { HeimdallError } from '../model/errors.ts';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import { isPortFree } from './bind-probe.ts';
import { describeListener, ownerOf, portsOf } from './port-owner.ts';
import { describeExit, type Exit, inSeconds, type RunningProcess } from './running-process.ts';

/** How the runtimes and the C library say that an address is in use. */
const ADDRESS_IN_USE = /EADDRINUSE|address (is )?already in use|address in use|port \S+ is already in use/i;

/** Another program has the port: a start on another port may succeed. */
export class PortClashError extends HeimdallError {}

export interface Candidate {
  readonly instance: Instance;
  readonly service: Service;
  readonly process: RunningProcess;
}

/**
 * Resolves once a probe passes and, where that can be told, the listening socket belongs to the process's own group.
 * The process is left alone whatever happens.
 * @throws {PortClashError} another program has the port.
 * @throws {HeimdallError} INSTANCE_EXITED, or INSTANCE_NOT_READY at the deadline; both with `context.logTail`.
 * @throws the signal's reason when it is aborted.
 */
export async function untilReady(candidate: Candidate, signal: AbortSignal): Promise<void> {
  const { instance, service, process } = candidate;
  const over = new AbortController();
  const seen: { exit?: Exit; clash?: boolean } = {};
  void process.exited.then((exit) => {
    seen.exit = exit;
    over.abort();
  });

  const readiness = await waitUntilReady({
    probe: async (probeSignal) => {
      const result = await probe(instance, service.healthCheck, probeSignal);
      const owner = result.passed ? await ownerOf(instance.port, process.identity.pid) : 'unknown';
      if (owner === 'stranger') {
        seen.clash = true;
        over.abort();
      }
      return owner === 'stranger' || owner === 'nobody' ? notOurs(result) : result;
    },
    intervalMs: service.readiness.interval,
    deadlineMs: service.readiness.deadline,
    signal: AbortSignal.any([signal, over.signal]),
    clock: systemClock,
  });
  if (readiness.ready) return;
  signal.throwIfAborted();
  if (seen.exit) throw await exitedEarly(candidate, seen.exit);
  if (seen.clash) throw await portClash(candidate);
  throw await notReady(candidate, readiness.lastCause);
}

function notOurs(result: ProbeResult): ProbeResult {
  return { ...result, passed: false, cause: 'the answer came from another program' };
}

async function exitedEarly({ instance, process }: Candidate, exit: Exit): Promise<HeimdallError> {
  const logTail = await process.tail();
  const { port } = instance;
  const message = `${instance.id} ${describeExit(exit, process.startedAt)}, before it was ready${lastLine(logTail)}`;
  const context = { instanceId: instance.id, port, exitCode: exit.code, signal: exit.signal, logTail };
  const clash =
    logTail.some((line) => ADDRESS_IN_USE.test(line)) || (await isHeldByStranger(instance, process.identity.pid));
  return clash
    ? new PortClashError('INSTANCE_EXITED', message, context)
    : new HeimdallError('INSTANCE_EXITED', message, context);
}

async function portClash({ instance, process }: Candidate): Promise<PortClashError> {
  const program = (await describeListener(instance.port)) ?? 'another program';
  return new PortClashError(
    'INSTANCE_NOT_READY',
    `${instance.id} cannot get ready: ${program} listens on port ${instance.port} instead of it`,
    { instanceId: instance.id, port: instance.port, logTail: await process.tail() },
  );
}

async function notReady({ instance, service, process }: Candidate, cause: string): Promise<HeimdallError> {
  const [logTail, ports] = await Promise.all([process.tail(), portsOf(process.identity.pid)]);
  const elsewhere = ports.length > 0 && !ports.includes(instance.port);
  const where = elsewhere ? `; it listens on ${ports.join(', ')} instead of ${instance.port}` : '';
  return new HeimdallError(
    'INSTANCE_NOT_READY',
    `${instance.id} was not ready within ${inSeconds(service.readiness.deadline)}: ${cause}${where}`,
    { instanceId: instance.id, port: instance.port, ...(elsewhere ? { listensOn: ports } : {}), logTail },
  );
}

async function isHeldByStranger({ port, host }: Instance, group: number): Promise<boolean> {
  return !(await isPortFree(port, host)) && (await ownerOf(port, group)) !== 'group';
}

function lastLine(tail: readonly string[]): string {
  const line = tail.at(-1);
  return line === undefined ? '' : `: ${line}`;
}
