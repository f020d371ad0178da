import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';

const SCRIPT = join(import.meta.dirname, 'registry-child.ts');

const AnswerSchema = z.object({
  registryId: z.string().optional(),
  reserved: z.array(z.object({ id: z.string(), port: z.int() })).optional(),
  refused: z.string().optional(),
  running: z.boolean().optional(),
});

/** Another process with one side of a registry open. */
export class RegistryProcess {
  readonly child: ChildProcess;
  readonly #exit: Promise<unknown>;

  constructor(role: 'manager' | 'proxy', path: string) {
    this.child = fork(SCRIPT, [role, path]);
    this.#exit = once(this.child, 'exit');
  }

  /** What it says next; its first word tells whether it opened the registry. */
  async answer(): Promise<z.infer<typeof AnswerSchema>> {
    const [message] = await Promise.race([
      once(this.child, 'message'),
      this.#exit.then(() => Promise.reject(new Error('the process ended without an answer'))),
    ]);
    return AnswerSchema.parse(message);
  }

  async reserve(): Promise<z.infer<typeof AnswerSchema>> {
    const answer = this.answer();
    this.child.send('reserve');
    return answer;
  }

  /** Ends it in order, unless it has ended by itself. */
  async close(): Promise<void> {
    if (this.child.connected) this.child.send('close');
    await this.#exit;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#exit;
  }
}
