import type { EtcdFacts } from '../../../../internal/registry/etcd/inspect.ts';
import { contentText } from '../../backup.ts';
import { type Finding, well } from '../finding.ts';
import type { Machine } from '../machine.ts';
import { stragglers } from './registry.ts';

const ABOUT = 'registry';

/** Whether the members of etcd answer, and who is behind. */
export function checkEtcd({ silent, content, copying, proxies }: EtcdFacts, machine: Machine): Finding[] {
  const level = content === null ? 'broken' : 'warning';
  const faults = silent.map(({ endpoint, reason }): Finding => {
    const message = `etcd at ${endpoint} does not answer: ${reason}`;
    return {
      level,
      about: ABOUT,
      message,
      advice: 'start it, or correct registry.etcd; etcdctl endpoint health says more',
    };
  });
  if (content === null) return faults;
  return [
    well(ABOUT, `in etcd, ${contentText(content)}`),
    ...faults,
    ...halfCopies(copying),
    ...stragglers(content.revision, proxies, machine.now()),
  ];
}

function halfCopies(copying: EtcdFacts['copying']): Finding[] {
  if (copying === null) return [];
  const { from, pid, host, startedAt } = copying;
  const since = new Date(startedAt).toISOString();
  const message = `${from} is being copied into etcd by process ${pid} on ${host} since ${since}; no manager begins before that is done`;
  return [{ level: 'broken', about: ABOUT, message, advice: 'when that process is gone: heimdall registry copy' }];
}
