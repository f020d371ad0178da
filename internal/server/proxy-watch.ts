import { placeOf } from '../model/proxy-place.ts';
import { HEARTBEAT_LIMIT_MS, isAlive, type ProxyRecord } from '../registry/registry.ts';

/** Which load balancers vanished, and which of those that had vanished trouble nobody any more. */
interface ProxyChanges {
  readonly gone: readonly ProxyRecord[];
  /** Ids. */
  readonly back: readonly string[];
}

/**
 * Notices load balancers that stopped without saying so. One is gone when its heartbeat is too old; that is over when it
 * beats again, when its row is withdrawn, or when one that was started in its place after its last heartbeat is there.
 */
export class ProxyWatch {
  readonly #startedAt: number;
  readonly #gone = new Set<string>();

  /** @param startedAt - epoch milliseconds; one that was silent before then gets its time to come back all the same. */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  /**
   * @param now - epoch milliseconds.
   * @param isTold - whether something else tells of it, such as its whole node; it is gone only when that does no more.
   */
  look(
    proxies: readonly ProxyRecord[],
    now: number,
    isTold: (proxy: ProxyRecord) => boolean = () => false,
  ): ProxyChanges {
    const alive = proxies.filter((proxy) => isAlive(proxy, now));
    const silent = proxies.filter(
      (proxy) =>
        now - Math.max(proxy.heartbeatAt, this.#startedAt) > HEARTBEAT_LIMIT_MS &&
        !alive.some((other) => placeOf(other.id) === placeOf(proxy.id) && other.startedAt >= proxy.heartbeatAt),
    );
    const gone = silent.filter((proxy) => !this.#gone.has(proxy.id) && !isTold(proxy));
    const back = [...this.#gone].filter((known) => !silent.some(({ id }) => id === known));
    for (const { id } of gone) this.#gone.add(id);
    for (const id of back) this.#gone.delete(id);
    return { gone, back };
  }
}
