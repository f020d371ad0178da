import type { RegistryFile } from '../../../../internal/registry/sqlite/registry-file.ts';
import { type Finding, well } from '../finding.ts';
import type { Machine, Status } from '../machine.ts';
import type { Answering } from './own-ports.ts';

const NAMES = { manager: 'server manager', proxy: 'load balancer' } as const;

/** Whether both processes run, on this registry and of this version. @param told - as `whoAnswers` has it. */
export function checkRunning(
  told: Readonly<Record<keyof Answering, Status | string>>,
  file: RegistryFile | null,
  machine: Machine,
): Finding[] {
  const pids = {
    manager: file?.users?.manager ? [file.users.manager.pid] : [],
    proxy: (file?.users?.proxies ?? []).map(({ pid }) => pid),
  };
  const names = ['manager', 'proxy'] as const;
  if (names.every((name) => typeof told[name] === 'string' && isNobody(told[name]))) {
    return [well('heimdall', 'does not run')];
  }
  return names.map((name) => checkOne(NAMES[name], told[name], pids[name], machine));
}

function checkOne(about: string, told: Status | string, pids: readonly number[], machine: Machine): Finding {
  if (typeof told === 'string') {
    if (isNobody(told))
      return { level: 'warning', about, message: 'does not run, though the other one does', advice: 'heimdall up' };
    const advice =
      told === 'status 401' ? 'use the token that it was started with (manager.token)' : 'its log says why';
    return { level: 'broken', about, message: `does not answer as it should: ${told}`, advice };
  }
  const { pid, version } = told;
  if (!pids.includes(pid)) {
    const message = `pid ${pid} answers, which is one of another registry`;
    return {
      level: 'warning',
      about,
      message,
      advice: 'give this configuration ports of its own, or stop the other heimdall',
    };
  }
  if (version === machine.version) return well(about, `runs, pid ${pid}, version ${version}`);
  const message = `runs version ${version}, installed is ${machine.version}`;
  return { level: 'warning', about, message, advice: 'heimdall reload' };
}

function isNobody(reason: string): boolean {
  return reason.includes('ECONNREFUSED');
}
