import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Applied, type Draft, type Front, FrontError } from '../front.ts';
import type { Picture, SyncedServer } from '../picture.ts';
import { type KnownNames, resolved } from '../resolved.ts';
import { runCommand } from './command.ts';
import { connectionsOf, inFlightOf } from './connections.ts';
import { type NginxLook, NginxProcesses, type RunningNginx } from './processes.ts';
import { UpstreamFile } from './upstream-file.ts';
import type { RenderUpstreams } from './upstream-text.ts';

/**
 * A master that reloads works, then workers come and retire; much configuration on a busy machine takes a while. When nothing of
 * that shows for so long, it has refused, or a worker hangs.
 */
const STANDSTILL_MS = 10_000;
const POLL_MS = 20;
/** What is given to a reload that nobody can watch. */
const UNSEEN_RELOAD_MS = 1_000;

export interface NginxOptions {
  readonly file: string;
  readonly render: RenderUpstreams;
  /** Lines of shell. */
  readonly testCommand: string;
  readonly reloadCommand: string;
  /** Null: the only nginx that runs here is meant. */
  readonly pidFile: string | null;
}

/** An nginx that includes a file of upstreams, and takes a new one over with a reload. */
export class NginxFront implements Front {
  readonly name = 'nginx';
  readonly claims: readonly string[];
  /** A reload starts new workers, and ends the idle connections of clients. */
  readonly paceMs = 1_000;
  readonly #options: NginxOptions;
  readonly #file: UpstreamFile;
  readonly #processes: NginxProcesses;
  readonly #names: KnownNames = new Map();
  /** What nginx is known to have taken over, and by whom. */
  #loaded: { readonly text: string; readonly by: NginxLook } | null = null;
  /** It may have taken over something else than what its file says. */
  #mustReload = false;
  /** By `performance.now()`. A test takes longer at one time than at another. */
  #reloadedAt = Number.NEGATIVE_INFINITY;

  private constructor(options: NginxOptions, file: UpstreamFile) {
    this.#options = options;
    this.#file = file;
    this.claims = [file.path];
    this.#processes = new NginxProcesses(options.pidFile);
  }

  static async open(options: NginxOptions): Promise<NginxFront> {
    return new NginxFront(options, await UpstreamFile.at(options.file));
  }

  /** The text of the file. */
  async draft({ services }: Picture): Promise<Draft> {
    const { services: known, warnings } = await resolved(services, this.#names);
    const text = this.#options.render(known);
    return { text, changed: text !== (await this.#file.read()), warnings };
  }

  /** Writes, tests, reloads, and watches the old workers retire. What nginx refuses is taken back. */
  async apply(picture: Picture, signal: AbortSignal): Promise<Applied> {
    const { text, changed, warnings } = await this.draft(picture);
    if (!changed && !this.#mustReload && (this.#loaded?.text === text || !(await this.#file.isPending()))) {
      this.#loaded ??= { text, by: await this.#processes.look() };
      return { changed: false, warnings };
    }
    await this.#processes.look(); // throws when nobody can tell which nginx is meant
    this.#loaded = null;
    if (changed) await this.#file.write(text);
    await this.#test();
    await sleep(Math.max(0, this.#reloadedAt + this.paceMs - performance.now()), undefined, { signal }).catch(() => {});
    const before = await this.#settled(); // not earlier: somebody else may have had it reload meanwhile
    if (before === 'absent')
      this.#mustReload = false; // it reads the file when it starts
    else await this.#reload(before, signal);
    await this.#file.confirm();
    this.#loaded = { text, by: before === 'absent' ? before : await this.#processes.look() };
    return { changed: true, warnings };
  }

  /** Where nginx cannot be seen, nobody can tell: a drain takes its whole time then. */
  async inFlight(servers: readonly SyncedServer[]): Promise<ReadonlyMap<string, number>> {
    const nginx = await this.#processes.look();
    if (nginx === 'absent') return new Map();
    if (nginx === 'invisible') return new Map(servers.map(({ id }) => [id, 1]));
    const service = { name: '', algorithm: 'round-robin', hashKey: 'ip', isPaused: false, servers } as const;
    const { services } = await resolved([service], this.#names);
    const known = services.flatMap((service) => service.servers);
    const counts = inFlightOf(await connectionsOf(nginx), known);
    return new Map(servers.map(({ id }) => [id, counts.get(id) ?? 1])); // whose name has no address now
  }

  /** Somebody may have written the file, or restarted nginx; one that has just been started may have read the file of before. */
  async isCurrent(): Promise<boolean> {
    const loaded = this.#loaded;
    if (loaded === null) return false;
    const isSame = await this.#processes.isStill(loaded.by);
    if (!isSame && loaded.by === 'absent') this.#mustReload = true;
    if (isSame && (await this.#file.read()) === loaded.text) return true;
    this.#loaded = null;
    return false;
  }

  /** A master that has just been started may have read the file of before, and has no workers yet to be told apart from the next. */
  async #settled(): Promise<NginxLook> {
    const end = performance.now() + STANDSTILL_MS;
    let nginx = await this.#processes.look();
    while (typeof nginx !== 'string' && nginx.workers.length === 0) {
      if (performance.now() > end) throw new FrontError('nginx runs without workers; its error log tells why');
      await sleep(POLL_MS);
      nginx = await this.#processes.look();
    }
    return nginx;
  }

  async #test(): Promise<void> {
    const { succeeded, said } = await runCommand(this.#options.testCommand);
    if (succeeded) return;
    await this.#file.restore();
    throw new FrontError(`"${this.#options.testCommand}" refuses the new file, the old one is back: ${said}`);
  }

  async #reload(before: RunningNginx | 'invisible', signal: AbortSignal): Promise<void> {
    const { reloadCommand } = this.#options;
    this.#mustReload = true; // until it is over
    this.#reloadedAt = performance.now();
    const { succeeded, said } = await runCommand(reloadCommand);
    if (!succeeded) throw new FrontError(`"${reloadCommand}" failed: ${said}`);
    if (before === 'invisible') {
      await sleep(UNSEEN_RELOAD_MS, undefined, { signal }).catch(() => {});
      this.#mustReload = false;
      return;
    }
    await this.#watchReload(before, signal);
    this.#mustReload = false;
  }

  async #watchReload(before: RunningNginx, signal: AbortSignal): Promise<void> {
    let [seen, end]: [NginxLook, number] = [before, performance.now() + STANDSTILL_MS];
    for (;;) {
      const now = await this.#processes.look();
      if (hasReloaded(before, now)) return;
      if (signal.aborted) throw new FrontError('the end came before the reload was over');
      if (!isDeepStrictEqual(now, seen)) [seen, end] = [now, performance.now() + STANDSTILL_MS];
      if (performance.now() > end) {
        throw new FrontError('nginx goes on with its old workers after the reload; its error log tells why');
      }
      await sleep(POLL_MS);
    }
  }
}

/** The new workers are there, and of the old ones none takes connections. */
function hasReloaded(before: RunningNginx, now: NginxLook): boolean {
  if (typeof now === 'string') return false;
  return now.workers.length > 0 && !now.workers.some((pid) => before.workers.includes(pid));
}
