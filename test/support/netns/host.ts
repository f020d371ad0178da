import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mainOf, StartedProcess } from '../e2e-process.ts';

/** In memory, and gone with the sandbox. */
const FOLDERS = '/run/hosts';

/** A machine of its own, as far as its processes can see: addresses, ports, a folder. */
export class Host {
  readonly name: string;
  readonly address: string;
  /** Working directory and home of its processes. */
  readonly dir: string;
  readonly #started: StartedProcess[] = [];

  constructor(name: string, address: string) {
    this.name = name;
    this.address = address;
    this.dir = join(FOLDERS, name);
    mkdirSync(this.dir, { recursive: true });
  }

  /** The end of its cable that is in the switch. */
  get #port(): string {
    return `to-${this.name}`;
  }

  connect(bridge: string): void {
    ip('netns', 'add', this.name);
    ip('link', 'add', this.#port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.name);
    ip('link', 'set', this.#port, 'master', bridge, 'up');
    ip('-n', this.name, 'link', 'set', 'lo', 'up');
    ip('-n', this.name, 'address', 'add', `${this.address}/24`, 'dev', 'eth0');
    ip('-n', this.name, 'link', 'set', 'eth0', 'up');
  }

  url(port: number): string {
    return `http://${this.address}:${port}`;
  }

  run(command: readonly [string, ...string[]], env: NodeJS.ProcessEnv = {}): StartedProcess {
    const started = new StartedProcess(['ip', 'netns', 'exec', this.name, ...command], { cwd: this.dir, env });
    this.#started.push(started);
    return started;
  }

  /** One of heimdall's processes, with a configuration. */
  heimdall(name: 'server-manager' | 'load-balancer', config: object): StartedProcess {
    const path = join(this.dir, `${name}.json`);
    writeFileSync(path, JSON.stringify(config));
    return this.run([process.execPath, mainOf(name), '--config', path]);
  }

  /** Any of heimdall's commands. */
  command(args: readonly string[], env: NodeJS.ProcessEnv = {}): StartedProcess {
    return this.run([process.execPath, mainOf('heimdall'), ...args], env);
  }

  /** A sample backend that all hosts reach, named for this one. */
  app(port: number): StartedProcess {
    const env = { PORT: String(port), HOST: '0.0.0.0', SERVER_NAME: this.name };
    return this.run([process.execPath, mainOf('test-server')], env);
  }

  /** As when somebody pulls the plug: nobody hears of it, not even from the kernel. */
  vanish(): void {
    ip('link', 'set', this.#port, 'down');
    this.killAll();
  }

  /** The power is back; nothing runs yet. */
  comeBack(): void {
    ip('link', 'set', this.#port, 'up');
  }

  killAll(): void {
    for (const pid of ip('netns', 'pids', this.name).split('\n')) {
      if (pid !== '') process.kill(Number(pid), 'SIGKILL');
    }
  }

  /** What its processes have written. */
  output(): string {
    return this.#started.map(({ output }) => output).join('\n');
  }
}

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' });
}
