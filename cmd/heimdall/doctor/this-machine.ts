import { constants } from 'node:fs';
import { access, readdir, stat, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { delimiter, dirname } from 'node:path';
import { z } from 'zod';
import { hasCode, messageOf } from '../../../internal/model/errors.ts';
import { readRegistryFile } from '../../../internal/registry/sqlite/registry-file.ts';
import { isPortFree } from '../../../internal/server/bind-probe.ts';
import { instanceProcesses } from '../../../internal/server/instance-processes.ts';
import { holderOf, listeningPorts } from '../../../internal/server/port-owner.ts';
import { exists, readProc } from '../../../internal/server/proc.ts';
import { validToOf } from '../../../internal/server/rules/certificate-book.ts';
import { packageVersion } from '../../runtime/package-info.ts';
import type { Machine, Status } from './machine.ts';

const PATIENCE_MS = 3_000;
const ACCESS = { read: constants.R_OK, write: constants.W_OK, execute: constants.X_OK } as const;
const PERMISSIONS = 0o777;

const StatusSchema = z.object({ pid: z.int(), version: z.string() });

/** The machine that this process runs on. */
export function thisMachine(env: NodeJS.ProcessEnv): Machine {
  return {
    nodeVersion: process.versions.node,
    version: packageVersion,
    uid: process.getuid?.() ?? 0,
    path: [dirname(process.execPath), ...(env['PATH'] ?? '').split(delimiter)].filter((folder) => folder !== ''),
    now: Date.now,
    proc: readProc,
    isPortFree,
    addresses: () => Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address)),
    portHolder: holderOf,
    listeningPorts,
    file: (path) =>
      stat(path).then(
        (stats) => ({ isFolder: stats.isDirectory(), uid: stats.uid, mode: stats.mode & PERMISSIONS }),
        () => null,
      ),
    may: (wanted, path) =>
      access(path, ACCESS[wanted]).then(
        () => true,
        () => false,
      ),
    names: (folder) => readdir(folder).catch(() => []),
    freeBytes: async (path) => {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    },
    registry: async (path) => {
      try {
        return readRegistryFile(path);
      } catch (error) {
        if (hasCode(error, 'REGISTRY_UNAVAILABLE') && error.cause === undefined) return null;
        throw error;
      }
    },
    etcd: async (settings, node) => {
      const { inspectEtcd } = await import('../../../internal/registry/etcd/inspect.ts');
      return inspectEtcd(settings, node, Date.now());
    },
    instanceProcesses,
    isAlive: exists,
    status,
    connect: reach,
    validTo: validToOf,
  };
}

async function status(url: string, token: string | undefined): Promise<Status | string> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  try {
    const response = await fetch(`${url}/status`, { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!response.ok) return `status ${response.status}`;
    const told = StatusSchema.safeParse(await response.json());
    return told.success ? told.data : 'the answer is none of heimdall';
  } catch (error) {
    return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
  }
}

function reach(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE_MS });
    const end = (reason: string | null) => {
      socket.destroy();
      resolve(reason);
    };
    socket.on('connect', () => end(null));
    socket.on('timeout', () => end(`no connection within ${PATIENCE_MS / 1_000} s`));
    socket.on('error', (error) => end('code' in error ? String(error.code) : messageOf(error)));
  });
}
