import type { Config } from '../../../../internal/config/schema.ts';
import { authority } from '../../../../internal/model/address.ts';
import { reachable } from '../../banner.ts';
import { type Finding, well } from '../finding.ts';
import type { Machine, Status } from '../machine.ts';

/** One of heimdall's two processes, as far as it answers. */
export interface Answering {
  readonly manager: Status | null;
  readonly proxy: Status | null;
}

interface OwnPort {
  readonly key: string;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The process that is to hold it. */
  readonly owner: keyof Answering;
}

/** Who answers on heimdall's own ports, whoever it is. */
export async function whoAnswers(
  { manager, proxy }: Config,
  machine: Machine,
): Promise<Record<keyof Answering, Status | string>> {
  const ask = (host: string, port: number) =>
    machine.status(reachable(`http://${authority(host, port)}`), manager.token);
  const [api, admin] = await Promise.all([ask(manager.host, manager.port), ask(proxy.admin.host, proxy.admin.port)]);
  return { manager: api, proxy: admin };
}

/** Whether heimdall's own ports are free, or heimdall's. */
export async function checkOwnPorts(
  { manager, proxy }: Config,
  answering: Answering,
  machine: Machine,
): Promise<Finding[]> {
  const ports: readonly OwnPort[] = [
    { key: 'manager.port', name: 'server manager', ...manager, owner: 'manager' },
    { key: 'proxy.port', name: 'load balancer', ...proxy, owner: 'proxy' },
    { key: 'proxy.admin.port', name: 'admin interface', ...proxy.admin, owner: 'proxy' },
  ];
  const unprivileged = Number((await machine.proc('sys/net/ipv4/ip_unprivileged_port_start')) ?? 0);
  return Promise.all(ports.map((port) => checkPort(port, answering[port.owner], unprivileged, machine)));
}

async function checkPort(own: OwnPort, owner: Status | null, unprivileged: number, machine: Machine): Promise<Finding> {
  const { key, name, port } = own;
  const about = `port ${port}`;
  const holder = await machine.portHolder(port);
  if (holder !== null && holder.pid === owner?.pid) return well(about, `${name}, pid ${holder.pid}`);
  if (holder === null && port < unprivileged && machine.uid !== 0) {
    const message = `for the ${name}; ports below ${unprivileged} need a privilege`;
    return {
      level: 'warning',
      about,
      message,
      advice: `set ${key} to another one, or let Node have cap_net_bind_service`,
    };
  }
  if (await machine.isPortFree(port)) return well(about, `free, for the ${name}`);
  if (holder === null && owner !== null) return well(about, name);
  const who = holder === null ? 'a program of another user' : `${holder.name} (pid ${holder.pid})`;
  const advice = `stop that, or set ${key} to another port`;
  return { level: 'broken', about, message: `wanted by the ${name}, held by ${who}`, advice };
}
