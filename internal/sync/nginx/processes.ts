import { readdir, readFile } from 'node:fs/promises';
import { messageOf } from '../../model/errors.ts';
import { FrontError } from '../front.ts';

const MASTER = 'nginx: master process';
const WORKER = 'nginx: worker process';
/** nginx's own words in the title of a worker that takes no new connections any more. */
const RETIRING = 'is shutting down';
/** The first process of a system is no nginx: one that says so of itself runs in a container, whose numbers are its own. */
const FIRST_PID = 1;

/** An nginx that runs. */
export interface RunningNginx {
  readonly master: number;
  /** Another one means another process, though its number may be the same. */
  readonly startTime: string;
  /** How much the master has worked, in ticks of the system's clock. */
  readonly ticks: number;
  /** Workers that take connections. */
  readonly workers: readonly number[];
  /** Those that finish what they have. */
  readonly retiring: readonly number[];
}

/** `absent`: it does not run; `invisible`: nobody can tell, because it runs elsewhere, or the system does not show processes. */
export type NginxLook = RunningNginx | 'absent' | 'invisible';

interface Proc {
  readonly pid: number;
  readonly parent: number;
  readonly startTime: string;
  readonly ticks: number;
  readonly title: string;
}

/** Finds nginx among the processes of this machine. */
export class NginxProcesses {
  readonly #pidFile: string | null;
  #master: Proc | null = null;
  /** Workers that were seen: while processes end, the system's list of children may lack some of them. */
  #seen: readonly Proc[] = [];

  /** @param pidFile - null: the only nginx that runs here is meant. */
  constructor(pidFile: string | null) {
    this.#pidFile = pidFile;
  }

  /** @throws {FrontError} when several run here, and nobody has said which one is meant. */
  async look(): Promise<NginxLook> {
    const master = await this.#findMaster();
    const children = typeof master === 'string' ? [] : await childrenOf(master.pid);
    const pids = new Set([...this.#seen.map(({ pid }) => pid), ...children]);
    const found = (await Promise.all([...pids].map(readNginx))).filter((process) => process !== null);
    if (await this.#hasOrphans(found)) return 'invisible';
    if (typeof master === 'string') return master;
    const workers = found.filter(({ parent, title }) => parent === master.pid && title.startsWith(WORKER));
    this.#seen = workers;
    const isRetiring = ({ title }: Proc) => title.includes(RETIRING);
    return {
      master: master.pid,
      startTime: master.startTime,
      ticks: master.ticks,
      workers: workers.filter((worker) => !isRetiring(worker)).map(({ pid }) => pid),
      retiring: workers.filter(isRetiring).map(({ pid }) => pid),
    };
  }

  /** Whether it is the same nginx as at an earlier look, or still none; little work. */
  async isStill(earlier: NginxLook): Promise<boolean> {
    if (earlier === 'invisible') return true;
    const now = await this.#findMaster();
    if (typeof now === 'string' || earlier === 'absent') return now === earlier;
    return now.pid === earlier.master && now.startTime === earlier.startTime;
  }

  /** Workers go on without their master when that is killed, and nobody can tell them anything. */
  async #hasOrphans(found: readonly Proc[]): Promise<boolean> {
    const known = found.filter(({ pid, startTime, title }) => {
      const before = this.#seen.find((worker) => worker.pid === pid);
      return before?.startTime === startTime && title.startsWith(WORKER);
    });
    const parents = await Promise.all([...new Set(known.map(({ parent }) => parent))].map(readNginx));
    return parents.some((parent) => parent?.title.startsWith(MASTER) !== true);
  }

  async #findMaster(): Promise<Proc | 'absent' | 'invisible'> {
    if (this.#pidFile !== null) {
      const pid = await readPid(this.#pidFile);
      const master = pid === null ? null : await readNginx(pid);
      if (master?.title.startsWith(MASTER)) return master;
      return process.platform === 'linux' && pid !== FIRST_PID ? 'absent' : 'invisible';
    }
    const known = this.#master === null ? null : await readNginx(this.#master.pid);
    this.#master = known !== null && known.startTime === this.#master?.startTime ? known : await theOnlyMaster();
    return this.#master ?? 'invisible';
  }
}

/** Null when none is seen. */
async function theOnlyMaster(): Promise<Proc | null> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = (await Promise.all(pids.map(readNginx))).filter(
    (process) => process?.title.startsWith(MASTER) === true,
  );
  if (found.length <= 1) return found[0] ?? null;
  const masters = found.map((master) => master?.pid).join(', ');
  throw new FrontError(`several nginx run here (processes ${masters}): name the pid file of yours with --pid-file`);
}

/** @returns null: it has ended properly. */
async function readPid(pidFile: string): Promise<number | null> {
  try {
    return Number.parseInt(await readFile(pidFile, 'utf8'), 10);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new FrontError(`the pid file of nginx cannot be read: ${messageOf(error)}`);
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

/** @returns null when it is gone, or no nginx. */
async function readNginx(pid: number): Promise<Proc | null> {
  try {
    const title = (await readFile(`/proc/${pid}/cmdline`, 'latin1')).replaceAll('\0', ' ');
    if (!title.startsWith('nginx: ')) return null;
    const line = await readFile(`/proc/${pid}/stat`, 'latin1');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' '); // the third of proc_pid_stat(5) comes first
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { pid, parent: Number(fields[1]), startTime: fields[19] ?? '', ticks, title };
  } catch {
    return null;
  }
}
