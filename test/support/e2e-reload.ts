import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ask } from './e2e-http.ts';
import type { System } from './e2e-system.ts';
import { eventually } from './e2e-wait.ts';

const ReloadSchema = z.array(
  z.object({
    process: z.string(),
    pid: z.int().optional(),
    successor: z.int().optional(),
    error: z.string().optional(),
  }),
);

const ReplacedSchema = z.object({ pid: z.int(), successor: z.int() });

/** Has another process take the place of one. @throws when none does. */
export async function replace(system: System, which: 'proxy' | 'manager'): Promise<z.infer<typeof ReplacedSchema>> {
  const url = which === 'proxy' ? system.admin : system.api;
  const { status, body } = await ask(`${url}/reload`, { method: 'POST' });
  if (status !== 200) throw new Error(`not replaced: ${status} ${body}`);
  return ReplacedSchema.parse(JSON.parse(body));
}

/** `heimdall reload`, which asks for the same in a process of its own: what it says. */
export async function reload(system: System, only: 'proxy' | 'manager') {
  const command = system.heimdall('reload', '--config', system.configPath, '--only', only, '--json');
  const { code } = await command.exited;
  const [result] = ReloadSchema.parse(JSON.parse(command.output.slice(command.output.indexOf('['))));
  return { code, ...result };
}

/** Between two connections of one client, in milliseconds: leaves the machine to those who start processes meanwhile. */
const PAUSE_MS = 50;

/** Connections that are used once, many at a time. */
export class FreshConnections {
  answers = 0;
  /** Who has answered. */
  readonly servers = new Set<string>();
  readonly failures: string[] = [];
  readonly #port: number;
  readonly #clients: readonly Promise<void>[];
  #isEnding = false;

  constructor(port: number, clients: number) {
    this.#port = port;
    this.#clients = Array.from({ length: clients }, () => this.#run());
  }

  async more(count: number): Promise<void> {
    const target = this.answers + count;
    await eventually(`${count} more answers`, () => this.answers >= target || this.failures.length > 0);
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#clients);
  }

  async #run(): Promise<void> {
    while (!this.#isEnding) {
      const socket = connect({ port: this.#port, host: '127.0.0.1' });
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      const answer = await text(socket).catch(String);
      this.servers.add(/^x-server: (.*)\r$/im.exec(answer)?.[1] ?? '');
      if (answer.startsWith('HTTP/1.1 200 ')) this.answers += 1;
      else this.failures.push(answer.slice(0, 100));
      await sleep(PAUSE_MS);
    }
  }
}
