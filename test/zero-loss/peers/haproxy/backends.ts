import { ask } from '../../../support/e2e-http.ts';
import { StartedProcess } from '../../../support/e2e-process.ts';
import { eventually } from '../../../support/e2e-wait.ts';
import type { Home } from '../../home.ts';

export interface Backend {
  readonly port: number;
  readonly version: string;
  readonly process: StartedProcess;
}

/** Stands for a release that does not run. */
export const BROKEN = 'broken';

/** The sample backends: HAProxy starts nothing. */
export class Backends {
  readonly #home: Home;
  readonly #taken = new Set<number>();

  constructor(home: Home) {
    this.#home = home;
  }

  /** Resolves when it is ready. @throws {Error} when it ends before; the port is free again then. */
  async start(version: string, port: number = this.#freePort()): Promise<Backend> {
    this.#taken.add(port);
    const fails: NodeJS.ProcessEnv = version === BROKEN ? { FAIL_START: '1' } : {};
    const env = { ...this.#home.env, VERSION: version, SERVER_NAME: `server-${port}`, ...fails };
    const process = StartedProcess.backend(port, { cwd: this.#home.dir, env });
    const isReady = async () => !process.running || (await ask(`http://127.0.0.1:${port}/health`)).status === 200;
    await eventually(() => `backend ${port} is ready; output:\n${process.output}`, isReady);
    if (process.running) return { port, version, process };
    this.#taken.delete(port);
    throw new Error(process.output);
  }

  /** SIGTERM, and its requests finish. */
  async stop({ port, process }: Backend): Promise<void> {
    await process.stop();
    this.#taken.delete(port);
  }

  #freePort(): number {
    const { from, to } = this.#home.ports;
    for (let port = from; port <= to; port += 1) if (!this.#taken.has(port)) return port;
    throw new Error('no port is left');
  }
}
