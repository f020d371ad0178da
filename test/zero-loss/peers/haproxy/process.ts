import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { writeFile } from 'node:fs/promises';
import { StartedProcess } from '../../../support/e2e-process.ts';
import { eventually } from '../../../support/e2e-wait.ts';
import type { Home } from '../../home.ts';
import { type ServerState, serverIn, workersIn } from './replies.ts';

const CONFIGURATION = join(import.meta.dirname, 'haproxy.cfg');

/** HAProxy in master-worker mode, spoken to as its operators do. */
export class HaproxyProcess {
  readonly #master: StartedProcess;
  readonly #home: Home;

  private constructor(master: StartedProcess, home: Home) {
    this.#master = master;
    this.#home = home;
  }

  static async start(home: Home, servers: string, env: NodeJS.ProcessEnv): Promise<HaproxyProcess> {
    await writeFile(serversPath(home), servers);
    const args = ['-W', '-db', '-f', CONFIGURATION, '-f', serversPath(home), '-S', masterSocket(home)] as const;
    const master = new StartedProcess(['haproxy', ...args], {
      cwd: home.dir,
      env: { ...home.env, PORT: String(home.ports.proxy), ...env },
    });
    const haproxy = new HaproxyProcess(master, home);
    try {
      await eventually(
        () => `HAProxy is there; output:\n${master.output}`,
        () => haproxy.#answersAs((pid) => pid > 0),
      );
    } catch (error) {
      await master.stop();
      throw error;
    }
    return haproxy;
  }

  /** With another file of servers; resolves when the new worker has taken over. */
  async reload(servers: string): Promise<void> {
    await writeFile(serversPath(this.#home), servers);
    const { current } = workersIn(await say(masterSocket(this.#home), 'show proc'));
    this.#master.kill('SIGUSR2');
    await eventually(
      () => `a worker in place of ${current}; output:\n${this.#master.output}`,
      () => this.#answersAs((pid) => pid !== current),
    );
  }

  /** Those that were replaced have ended: they go on sending requests to the servers that they know. */
  async oldWorkersHaveEnded(limitMs: number): Promise<void> {
    const isOver = async () => workersIn(await say(masterSocket(this.#home), 'show proc')).old.length === 0;
    await eventually('the old workers have ended', isOver, limitMs);
  }

  /** A change at runtime. @throws {Error} with the answer, when there is one: it means that it went wrong. */
  async set(what: string): Promise<void> {
    const answer = (await say(adminSocket(this.#home), `set ${what}`)).trim();
    if (answer !== '') throw new Error(`set ${what}: ${answer}`);
  }

  async server(service: string, name: string): Promise<ServerState> {
    return serverIn(await say(adminSocket(this.#home), 'show stat'), service, name);
  }

  async stop(): Promise<void> {
    await this.#master.stop();
  }

  async #answersAs(isRight: (pid: number) => boolean): Promise<boolean> {
    const { current } = workersIn(await say(masterSocket(this.#home), 'show proc'));
    const info = await say(adminSocket(this.#home), 'show info');
    return current !== null && isRight(current) && Number(/^Pid: (\d+)$/m.exec(info)?.[1]) === current;
  }
}

async function say(path: string, command: string): Promise<string> {
  const socket = connect(path);
  socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer to ${command}`)));
  socket.end(`${command}\n`); // the master closes after us, the workers by themselves
  return text(socket);
}

function serversPath({ dir }: Home): string {
  return join(dir, 'servers.cfg');
}

function masterSocket({ dir }: Home): string {
  return join(dir, 'master.sock');
}

function adminSocket({ dir }: Home): string {
  return join(dir, 'admin.sock');
}
