import { HEARTBEAT_LIMIT_MS, type ProxyRecord } from '../registry.ts';
import { FORM } from './forms.ts';
import { NAMES } from './names.ts';
import { valueOf } from './parse.ts';
import type { Entry } from './store.ts';

/** Since when load balancers are known to be silent. */
export class Silence {
  /** By id; epoch milliseconds. */
  #since = new Map<string, number>();

  /** When the silent ones were heard last: a lease before they were found to be so. */
  heardAt(silent: readonly string[], now: number): Map<string, number> {
    this.#since = new Map(silent.map((id) => [id, this.#since.get(id) ?? now]));
    return new Map([...this.#since].map(([id, since]) => [id, since - HEARTBEAT_LIMIT_MS - 1]));
  }
}

/**
 * The load balancers; the one that has been there for the longest comes first: how long that is etcd says, not a clock.
 * Whoever is present counts, whether it is known already what it has told or not: that it told nothing yet holds up drains.
 * @param told - what load balancers have told. @param present - the keys that go with their leases. @param now - epoch milliseconds.
 */
export function proxiesOf(
  told: Iterable<Entry>,
  present: Iterable<Entry>,
  now: number,
  silence = new Silence(),
): ProxyRecord[] {
  const records = new Map<string, Omit<ProxyRecord, 'heartbeatAt'>>();
  const since = new Map<string, number>();
  for (const entry of present) {
    const id = idOf(entry);
    since.set(id, entry.created);
    records.set(id, { id, ...valueOf(FORM.presence, entry), appliedRevision: null, inFlight: new Map() });
  }
  for (const entry of told) {
    const { id, pid, node, startedAt, appliedRevision, inFlight } = valueOf(FORM.proxy, entry);
    records.set(id, { id, pid, node, startedAt, appliedRevision, inFlight: new Map(Object.entries(inFlight)) });
  }
  const silent = [...records.keys()].filter((id) => !since.has(id));
  const heardAt = silence.heardAt(silent, now);
  const order = ({ id }: { readonly id: string }) => since.get(id) ?? Number.POSITIVE_INFINITY;
  return [...records.values()]
    .map((record) => ({ ...record, heartbeatAt: heardAt.get(record.id) ?? now }))
    .toSorted((a, b) => (order(a) === order(b) ? (a.id < b.id ? -1 : 1) : order(a) - order(b)));
}

function idOf({ name }: Entry): string {
  return decodeURIComponent(name.slice(NAMES.present('').length));
}
