import { nodeNameOf } from '../../../internal/config/node-name.ts';
import type { EtcdFacts } from '../../../internal/registry/etcd/inspect.ts';
import { NEWEST_SCHEMA, type RegistryFile } from '../../../internal/registry/sqlite/registry-file.ts';
import { dirname, join } from 'node:path';
import type { LoadedConfig } from '../../../internal/config/load.ts';
import { ConfigError } from '../../../internal/config/problem.ts';
import { messageOf } from '../../../internal/model/errors.ts';
import { checkAlertChannels } from './checks/alert-channels.ts';
import { checkCertificates } from './checks/certificates.ts';
import { checkCommands } from './checks/commands.ts';
import { configured, misconfigured } from './checks/configuration.ts';
import { checkDataFolder } from './checks/data-folder.ts';
import { checkDescriptors } from './checks/descriptors.ts';
import { checkInstancePorts } from './checks/instance-ports.ts';
import { checkEtcd } from './checks/etcd.ts';
import { checkKernel } from './checks/kernel.ts';
import { checkLeftovers } from './checks/leftovers.ts';
import { checkNodeAddress } from './checks/node-address.ts';
import { checkOwnPorts, whoAnswers } from './checks/own-ports.ts';
import { checkRegistry, UNREADABLE } from './checks/registry.ts';
import { checkRunning } from './checks/running.ts';
import { checkNode } from './checks/versions.ts';
import type { Finding } from './finding.ts';
import type { Machine } from './machine.ts';

/** All checks, in the order in which people read them. @param loaded - or why the configuration cannot be used. */
export async function examine(loaded: LoadedConfig | ConfigError, machine: Machine): Promise<Finding[]> {
  const general = [...checkNode(machine), ...(await checkKernel(machine))];
  if (loaded instanceof ConfigError) return [...misconfigured(loaded), ...general];
  const { config } = loaded;
  const { path, etcd } = config.registry;
  const told = await whoAnswers(config, machine);
  const answering = {
    manager: typeof told.manager === 'string' ? null : told.manager,
    proxy: typeof told.proxy === 'string' ? null : told.proxy,
  };
  const kept = etcd === undefined ? null : await machine.etcd(etcd, nodeNameOf(config));
  const file = kept === null ? await registryAt(path, machine) : fileLike(kept, machine.now());
  const isRunning = answering.manager !== null || answering.proxy !== null;
  const processes = await machine.instanceProcesses(join(dirname(path), 'logs'));
  return [
    ...configured(loaded),
    ...checkRunning(told, file, machine),
    ...(await checkOwnPorts(config, answering, machine)),
    ...checkNodeAddress(config, machine),
    ...(await checkInstancePorts(config, processes.length, machine)),
    ...(await checkCommands(config, machine)),
    ...(kept === null ? checkRegistry(path, file, isRunning, machine) : checkEtcd(kept, machine)),
    ...(await checkDataFolder(config, machine)),
    ...(await checkLeftovers({ path, file, processes, answering }, machine)),
    ...(await checkAlertChannels(config, machine)),
    ...(await checkCertificates(config, machine)),
    ...(await checkDescriptors(config, machine)),
    ...general,
  ];
}

/** What etcd has, as the checks know it that are about who uses a registry. */
function fileLike({ content, copying, managerPid, proxies, instanceIds }: EtcdFacts, now: number): RegistryFile {
  const unknown = { content: null, users: null, lastEventAt: null };
  if (content === null) return { flaw: 'no member of etcd answers', ...unknown };
  if (copying !== null) return { flaw: 'it is half a copy', ...unknown };
  const manager = managerPid === null ? null : { pid: managerPid, startedAt: now, heartbeatAt: now };
  return {
    flaw: null,
    content: { registryId: '', schema: NEWEST_SCHEMA, ...content },
    users: { manager, proxies: [...proxies], instanceIds: [...instanceIds] },
    lastEventAt: null,
  };
}

async function registryAt(path: string, machine: Machine): Promise<RegistryFile | null> {
  try {
    return await machine.registry(path);
  } catch (error) {
    return { flaw: `${UNREADABLE}: ${messageOf(error)}`, content: null, users: null, lastEventAt: null };
  }
}
