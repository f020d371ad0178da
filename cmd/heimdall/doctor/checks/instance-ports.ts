import type { Config } from '../../../../internal/config/schema.ts';
import { configuredInstances } from '../../../../internal/model/service.ts';
import { type Finding, well } from '../finding.ts';
import type { Machine } from '../machine.ts';
import { localPorts } from './kernel.ts';

/** Whether there are enough ports for instances, and nobody else is given them. @param own - how many instances hold by now. */
export async function checkInstancePorts(
  { ports, services }: Config,
  own: number,
  machine: Machine,
): Promise<Finding[]> {
  const wanted = services.reduce((sum, service) => sum + configuredInstances(service), 0);
  if (wanted === 0) return [];
  const about = `ports ${ports.from} to ${ports.to}`;
  const taken = [...(await machine.listeningPorts())].filter((port) => port >= ports.from && port <= ports.to).length;
  const room = ports.to - ports.from + 1 - taken + own;
  const advice = 'widen "ports" in the configuration, or stop what listens there';
  const first: Finding =
    room < wanted
      ? { level: 'broken', about, message: `room for ${room} instances, but ${wanted} are configured`, advice }
      : well(about, `room for ${room} instances, ${wanted} configured`);
  return [first, ...(await checkOverlap(about, ports, machine))];
}

/** A port that the system gives to an outgoing connection cannot be listened on. */
async function checkOverlap(about: string, ports: Config['ports'], machine: Machine): Promise<Finding[]> {
  const range = await localPorts(machine);
  if (range === null) return [];
  const [from, to] = [Math.max(range.from, ports.from), Math.min(range.to, ports.to)];
  const reserved = reservedIn(await machine.proc('sys/net/ipv4/ip_local_reserved_ports'));
  if (from > to || reserved.some((part) => part.from <= from && part.to >= to)) return [];
  const message = `${from} to ${to} are given to outgoing connections, too: an instance may find its port taken`;
  const advice = `choose ports below ${range.from}, or sysctl -w net.ipv4.ip_local_reserved_ports=${from}-${to}`;
  return [{ level: 'warning', about, message, advice }];
}

function reservedIn(text: string | null): { readonly from: number; readonly to: number }[] {
  return (text ?? '')
    .trim()
    .split(',')
    .flatMap((part) => {
      const [from, to = from] = part.split('-').map(Number);
      return from !== undefined && to !== undefined && from > 0 ? [{ from, to }] : [];
    });
}
