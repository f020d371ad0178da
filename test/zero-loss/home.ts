import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimPorts, type PortBlock } from '../support/e2e-ports.ts';
import { livesIn } from '../support/e2e-process.ts';
import { eventually } from '../support/e2e-wait.ts';

/** From the end of a peer to that of its last process. */
const GRACE_MS = 10_000;

/** A folder and ports for one peer. All that runs with the folder as HOME has ended when it is disposed of. */
export class Home implements AsyncDisposable {
  readonly dir: string;
  readonly ports: PortBlock;

  private constructor(dir: string, ports: PortBlock) {
    this.dir = dir;
    this.ports = ports;
  }

  static async create(): Promise<Home> {
    const ports = await claimPorts();
    // A short name: the addresses of sockets in there may have no more than 107 octets.
    return new Home(await realpath(await mkdtemp(join(tmpdir(), 'peer-'))), ports);
  }

  /** For the processes of the peer: of our environment they get the PATH, with the Node that runs us in front. */
  get env(): NodeJS.ProcessEnv {
    return { HOME: this.dir, PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` };
  }

  /** @throws when something was left; it is gone all the same. */
  async [Symbol.asyncDispose](): Promise<void> {
    const allEnded = () =>
      eventually('all processes have ended', async () => (await this.#living()).length === 0, GRACE_MS);
    await allEnded().catch(() => {});
    const left = await this.#living();
    for (const pid of left) process.kill(pid, 'SIGKILL');
    await allEnded();
    await this.ports.release();
    await rm(this.dir, { recursive: true, force: true, maxRetries: 3 });
    if (left.length > 0) throw new Error(`processes ${left.join(', ')} were left behind, and are killed`);
  }

  async #living(): Promise<number[]> {
    const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
    return pids.filter((pid) => livesIn(pid, this.dir));
  }
}
