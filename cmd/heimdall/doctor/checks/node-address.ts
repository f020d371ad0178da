import { isIP } from 'node:net';
import { isLoopback } from '../../../../internal/config/host.ts';
import { managerUrlOf } from '../../../../internal/config/manager-url.ts';
import type { Config } from '../../../../internal/config/schema.ts';
import { type Finding, well } from '../finding.ts';
import type { Machine } from '../machine.ts';

/** Whether instances can listen where `node.address` says, and the other nodes reach them, and this manager. */
export function checkNodeAddress(config: Config, machine: Machine): Finding[] {
  const { node, registry, services } = config;
  const { address } = node;
  const about = 'node.address';
  const isShared = registry.driver === 'etcd';
  if (!services.some(({ command }) => command !== undefined)) return [];
  if (isLoopback(address)) {
    if (!isShared) return [];
    const message = `instances listen on ${address}: load balancers on other machines do not reach them`;
    return [{ level: 'warning', about, message, advice: 'set node.address to the one that other machines reach' }];
  }
  const isOwn = isIP(address) === 0 || machine.addresses().includes(address);
  const first: Finding = isOwn
    ? well(about, `instances listen on ${address}: let nobody but load balancers reach their ports`)
    : {
        level: 'warning',
        about,
        message: `${address} is no address of this machine: an instance that listens where HOST says cannot start`,
        advice: 'set node.address to one of this machine, or env.HOST of the services to where they are to listen',
      };
  return isShared && managerUrlOf(config) === null ? [first, ALONE] : [first];
}

const ALONE: Finding = {
  level: 'hint',
  about: 'manager.host',
  message: 'the managers of other nodes cannot call this one: it listens on loopback alone',
  advice: 'set manager.host to 0.0.0.0 with a manager.token, or manager.url',
};
