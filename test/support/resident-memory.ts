import { readFileSync } from 'node:fs';

/** Whether this system tells what a process holds in memory. */
export const TELLS_MEMORY = process.platform === 'linux';

/** What a process holds in memory, in octets. */
export function residentMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Follows the memory of a process until it is disposed of. */
export class MemoryFollower implements Disposable {
  readonly #pid: number;
  readonly #start: number;
  readonly #timer: NodeJS.Timeout;
  #peak = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#start = residentMemory(pid);
    this.#timer = setInterval(() => this.#look(), 10);
  }

  /** Octets by which it grew at most. */
  get growth(): number {
    this.#look();
    return this.#peak - this.#start;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#peak = Math.max(this.#peak, residentMemory(this.#pid));
  }
}
