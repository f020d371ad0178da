import type { EtcdSettings } from '../../../internal/model/registry-settings.ts';
import type { EtcdFacts } from '../../../internal/registry/etcd/inspect.ts';
import type { CertificateHolder } from '../../../internal/server/rules/certificate-book.ts';
import type { InstanceProcess } from '../../../internal/server/instance-processes.ts';
import type { PortHolder } from '../../../internal/server/port-owner.ts';
import type { RegistryFile } from '../../../internal/registry/sqlite/registry-file.ts';

/** A file or folder. */
interface FileFacts {
  readonly isFolder: boolean;
  readonly uid: number;
  /** The permission bits. */
  readonly mode: number;
}

/** How the present user may use a file or folder. */
type Access = 'read' | 'write' | 'execute';

/** What a process of heimdall tells of itself. */
export interface Status {
  readonly pid: number;
  readonly version: string;
}

/** What the checks ask of the machine. Nothing here changes anything. */
export interface Machine {
  readonly nodeVersion: string;
  /** Of this heimdall. */
  readonly version: string;
  /** Of the present user; 0 is root. */
  readonly uid: number;
  /** PATH, with the folder of this Node first, as instances have it. */
  readonly path: readonly string[];
  /** Epoch milliseconds. */
  now(): number;
  /** The text of a file below `/proc`; null where there is none. */
  proc(name: string): Promise<string | null>;
  isPortFree(port: number): Promise<boolean>;
  /** Of its interfaces. */
  addresses(): readonly string[];
  portHolder(port: number): Promise<PortHolder | null>;
  listeningPorts(): Promise<ReadonlySet<number>>;
  /** Null when there is none. */
  file(path: string): Promise<FileFacts | null>;
  may(access: Access, path: string): Promise<boolean>;
  /** Names in a folder; none when it cannot be read. */
  names(folder: string): Promise<readonly string[]>;
  /** Bytes that are free to this user where the path is. */
  freeBytes(path: string): Promise<number>;
  /** Null when there is none. @throws when it cannot be read. */
  registry(path: string): Promise<RegistryFile | null>;
  /** Of a registry in etcd. @param node - of this machine. */
  etcd(settings: EtcdSettings, node: string): Promise<EtcdFacts>;
  instanceProcesses(logDir: string): Promise<readonly InstanceProcess[]>;
  isAlive(pid: number): boolean;
  /** What `GET /status` of one of heimdall's own ports says, or why it says nothing. */
  status(url: string, token: string | undefined): Promise<Status | string>;
  /** Why a connection cannot be had; null when it can. */
  connect(host: string, port: number): Promise<string | null>;
  /** Until when a certificate is valid, in epoch milliseconds. @throws when none is shown. */
  validTo(holder: CertificateHolder): Promise<number>;
}
