import { HeimdallError } from '../model/errors.ts';
import type { HeimdallEvent } from '../model/event.ts';
import type { RegistrySettings } from '../model/registry-settings.ts';
import { countsOf, underWay } from './kept.ts';
import type { CopySource, CopyTarget } from './copy-ends.ts';
import { SqliteSource } from './sqlite/copy-source.ts';

interface CopyOptions {
  readonly from: RegistrySettings;
  readonly to: RegistrySettings;
  /** Whose manager goes on with it. */
  readonly node: string;
  /** Epoch milliseconds; default: the system's clock. */
  readonly clock?: () => number;
}

/** What would be copied, and what stands against it. */
export interface CopyPreview {
  readonly counts: ReturnType<typeof countsOf>;
  /** What runs as instances, and is reached on this machine alone. */
  readonly loopback: readonly string[];
  /** What must be over before, and what to do, in words; null: nothing. */
  readonly underWay: string | null;
  /** What the target holds already, in words; null: nothing. */
  readonly content: string | null;
  readonly users: Awaited<ReturnType<CopySource['users']>>;
}

/** Copies one registry into another one, which is empty. The source stays as it is. */
export class RegistryCopy {
  readonly #source: CopySource;
  readonly #target: CopyTarget;
  readonly #clock: () => number;

  private constructor(source: CopySource, target: CopyTarget, clock: () => number) {
    this.#source = source;
    this.#target = target;
    this.#clock = clock;
  }

  /** @throws {HeimdallError} INVALID_REQUEST when it is the wrong way; REGISTRY_UNAVAILABLE, REGISTRY_BROKEN. */
  static async open({ from, to, node, clock = Date.now }: CopyOptions): Promise<RegistryCopy> {
    const { etcd } = to;
    if (from.driver !== 'sqlite' || to.driver !== 'etcd' || etcd === undefined) {
      throw new HeimdallError(
        'INVALID_REQUEST',
        `A registry can be copied from sqlite to etcd, not from ${from.driver} to ${to.driver}.`,
      );
    }
    const source = await SqliteSource.open(from.path, clock);
    const { EtcdTarget } = await import('./etcd/copy-target.ts');
    return new RegistryCopy(source, new EtcdTarget({ etcd, node, clock }), clock);
  }

  get from(): string {
    return this.#source.name;
  }

  get to(): string {
    return this.#target.name;
  }

  /** Changes nothing. */
  async preview(): Promise<CopyPreview> {
    const [users, kept, content] = await Promise.all([
      this.#source.users(),
      this.#source.read(),
      this.#target.content(),
    ]);
    const spawned = kept.instances.filter(({ agent, host }) => agent === null && isLoopback(host));
    return {
      counts: countsOf(kept),
      loopback: spawned.map(({ id }) => id),
      underWay: users.proxies.length === 0 ? null : underWay(kept),
      content,
      users,
    };
  }

  /** Keeps managers away from the source. @throws {HeimdallError} MANAGER_RUNNING. */
  hold(): Promise<void> {
    return this.#source.hold();
  }

  /**
   * From now on no manager begins on the target before `carryOut` has ended well.
   * @param force - deletes what the target holds.
   * @throws {HeimdallError} MANAGER_RUNNING; INVALID_REQUEST; REGISTRY_UNAVAILABLE, REGISTRY_BROKEN. Nothing has changed then.
   */
  async begin(force: boolean): Promise<void> {
    const { proxies } = await this.#source.users();
    const busy = proxies.length === 0 ? null : underWay(await this.#source.read());
    if (busy !== null) throw new HeimdallError('INVALID_REQUEST', `the registry cannot be copied now: ${busy}`);
    await this.#target.begin(this.from, force);
  }

  /** @throws {HeimdallError} MANAGER_RUNNING, REGISTRY_UNAVAILABLE; what is in the target is no registry then. */
  async carryOut(onProgress: (part: number) => void = () => {}): Promise<CopyPreview['counts']> {
    await this.#source.hold();
    const kept = await this.#source.read();
    const counts = countsOf(kept);
    const done: HeimdallEvent = {
      at: this.#clock(),
      type: 'registry.copied',
      service: null,
      instanceId: null,
      message: `the registry was copied from ${this.from} to ${this.to}`,
      data: { from: this.from, to: this.to, ...counts },
    };
    await this.#target.write(kept, done, onProgress);
    return counts;
  }

  async close(): Promise<void> {
    await Promise.all([this.#source.close(), this.#target.close()]);
  }
}

function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || host.startsWith('127.');
}
