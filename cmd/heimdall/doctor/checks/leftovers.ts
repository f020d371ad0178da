import type { RegistryFile } from '../../../../internal/registry/sqlite/registry-file.ts';
import { basename, dirname, join } from 'node:path';
import { isAlive } from '../../../../internal/registry/registry.ts';
import type { InstanceProcess } from '../../../../internal/server/instance-processes.ts';
import { type Finding, well } from '../finding.ts';
import type { Machine } from '../machine.ts';
import type { Answering } from './own-ports.ts';

const ABOUT = 'leftovers';
const RUN_ENTRY = /-(\d+)\.json$/;

export interface LeftoverFacts {
  /** Of the registry. */
  readonly path: string;
  readonly file: RegistryFile | null;
  readonly processes: readonly InstanceProcess[];
  readonly answering: Answering;
}

/** What processes that were killed have left: instances, rows, files. */
export async function checkLeftovers(facts: LeftoverFacts, machine: Machine): Promise<Finding[]> {
  const findings = [...strayProcesses(facts), ...deadRows(facts, machine), ...(await files(facts.path, machine))];
  return findings.length > 0 ? findings : [well(ABOUT, 'none')];
}

/** Instances that nobody looks after, now or ever. */
function strayProcesses({ file, processes, answering }: LeftoverFacts): Finding[] {
  const isUnknown = file === null ? answering.manager !== null : file.users === null; // who belongs to whom cannot be told
  if (isUnknown) return [];
  const known = new Set(file?.users?.instanceIds ?? []);
  const strays = processes.filter(({ instanceId }) => !known.has(instanceId));
  const findings = strays.map(({ instanceId, group }): Finding => {
    const message = `${instanceId} (process group ${group}) runs, but no registry knows it: nobody looks after it`;
    return { level: 'warning', about: ABOUT, message, advice: `end it: kill -TERM -- -${group}` };
  });
  const kept = processes.length - strays.length;
  if (answering.manager !== null || kept === 0) return findings;
  const message = `${kept} instances run without a manager`;
  return [...findings, { level: 'hint', about: ABOUT, message, advice: 'the next start of heimdall adopts them' }];
}

function deadRows({ file }: LeftoverFacts, machine: Machine): Finding[] {
  const dead = (file?.users?.proxies ?? []).filter((proxy) => !isAlive(proxy, machine.now()));
  if (dead.length === 0) return [];
  const message = `load balancers that ended without a word: ${dead.map(({ id, pid }) => `${id} (pid ${pid})`).join(', ')}`;
  return [{ level: 'hint', about: ABOUT, message, advice: 'nothing: the next one that starts removes them' }];
}

async function files(path: string, machine: Machine): Promise<Finding[]> {
  const folder = dirname(path);
  const names = await machine.names(folder);
  const entries = await machine.names(join(folder, 'run'));
  const drafts = names.filter((name) => name === `${basename(path)}.restoring` || name.endsWith('.partial'));
  const dead = entries.filter((name) => {
    const pid = RUN_ENTRY.exec(name)?.[1];
    return pid !== undefined && !machine.isAlive(Number(pid));
  });
  const left = [...drafts.map((name) => join(folder, name)), ...dead.map((name) => join(folder, 'run', name))];
  if (left.length === 0) return [];
  const message = `files of processes that were killed: ${left.join(', ')}`;
  return [{ level: 'hint', about: ABOUT, message, advice: 'they may be deleted' }];
}
