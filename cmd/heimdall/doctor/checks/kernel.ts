import { type Finding, well } from '../finding.ts';
import type { Machine } from '../machine.ts';

const MIN_BACKLOG = 1_024;
const MIN_LOCAL_PORTS = 10_000;

/** Settings that bound how many connections come and go. */
export async function checkKernel(machine: Machine): Promise<Finding[]> {
  const backlog = Number(await machine.proc('sys/net/core/somaxconn'));
  const range = await localPorts(machine);
  if (!(backlog > 0) || range === null) return []; // another system
  const findings: Finding[] = [];
  if (backlog < MIN_BACKLOG) {
    findings.push({
      level: 'hint',
      about: 'kernel',
      message: `only ${backlog} connections may wait to be accepted (net.core.somaxconn)`,
      advice: `sysctl -w net.core.somaxconn=4096, for bursts of new clients`,
    });
  }
  const count = range.to - range.from + 1;
  if (count < MIN_LOCAL_PORTS) {
    findings.push({
      level: 'hint',
      about: 'kernel',
      message: `only ${count} ports for outgoing connections (net.ipv4.ip_local_port_range)`,
      advice: 'sysctl -w net.ipv4.ip_local_port_range="32768 60999"',
    });
  }
  return findings.length > 0
    ? findings
    : [well('kernel', `backlog ${backlog}, ${count} ports for outgoing connections`)];
}

/** Out of which the system picks ports for outgoing connections; null where that cannot be told. */
export async function localPorts(machine: Machine): Promise<{ readonly from: number; readonly to: number } | null> {
  const text = await machine.proc('sys/net/ipv4/ip_local_port_range');
  const [from = Number.NaN, to = Number.NaN] = (text ?? '').trim().split(/\s+/).map(Number);
  return from > 0 && to > 0 ? { from, to } : null;
}
