import type { AddedChannel } from '../../../pkg/alerts/added-channel.ts';
import type { AlertControls } from '../../../pkg/alerts/book.ts';
import type { AlertChanges, AlertStore, Delivery, Inheritance, Outage } from '../../../pkg/alerts/store.ts';
import { KEPT_ALERTS, MESSAGE_LIMIT_MS } from '../kept-for.ts';
import { readChannels, readControls } from './alert-book.ts';
import { unlessRefused } from './faults.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import { valueOf } from './parse.ts';
import { FORM } from './forms.ts';
import type { Entry, Guard, Store, Write } from './store.ts';

/** So many are taken over in one commit, each with what guards it. */
const PORTION = 40;
/** Of what nobody has any more. */
const NOBODY = '';

interface AlertStoreOptions {
  readonly store: Store;
  readonly mirror: Mirror;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Of what is written. */
  readonly owner: string;
  /**
   * What shows that an owner is gone, for those whose alerts this process may take over: a guard that holds only then.
   * Null: it is there, or of another kind.
   */
  readonly goneGuard: (owner: string) => Guard | null;
}

interface Left {
  readonly entry: Entry;
  readonly guard: Guard | null;
}

/** The alerts of one process in etcd. More than a hundred at a time are not saved all or none, but may be saved again. */
export class EtcdAlertStore implements AlertStore {
  readonly #options: AlertStoreOptions;

  constructor(options: AlertStoreOptions) {
    this.#options = options;
  }

  async save({ outages, released, made, settled }: AlertChanges): Promise<void> {
    const { store, mirror, owner } = this.#options;
    await mirror.ready();
    // messages first: should a portion be the last, one is rather sent twice than never
    const writes: Write[] = made.map((delivery) => putDelivery(owner, delivery));
    writes.push(...outages.map((outage) => putOutage(released.includes(outage.id) ? NOBODY : owner, outage)));
    const saved = new Set(outages.map(({ id }) => id));
    for (const id of released) {
      const entry = saved.has(id) ? null : mirror.get(NAMES.alert(id));
      const known = entry && valueOf(FORM.alert, entry);
      if (entry && known?.owner === owner) writes.push({ put: entry.name, value: { ...known, owner: NOBODY } });
    }
    for (const delivery of settled) writes.push({ remove: nameOf(delivery) });
    if (writes.length === 0) return;
    await mirror.reach(await store.write(writes));
    if (outages.some(({ open }) => !open)) await this.#prune();
  }

  async controls(): Promise<AlertControls> {
    await this.#options.mirror.ready();
    return readControls(this.#options.mirror, this.#options.clock());
  }

  async channels(): Promise<AddedChannel[]> {
    await this.#options.mirror.ready();
    return readChannels(this.#options.mirror);
  }

  async takeOver(): Promise<Inheritance> {
    const { mirror, clock } = this.#options;
    await mirror.ready();
    const outages: Outage[] = [];
    const deliveries: Delivery[] = [];
    for (const portion of portions(this.#left('alerts'))) {
      const open = portion.filter(({ entry }) => valueOf(FORM.alert, entry).outage.open);
      if (await this.#take(open)) outages.push(...open.map(({ entry }) => valueOf(FORM.alert, entry).outage));
    }
    for (const portion of portions(this.#left('outbox'))) {
      if (!(await this.#take(portion))) continue;
      deliveries.push(...portion.map(({ entry }) => valueOf(FORM.message, entry).delivery));
    }
    const oldest = clock() - MESSAGE_LIMIT_MS;
    const stale = deliveries.filter(({ notification }) => notification.at < oldest);
    if (stale.length > 0) await this.#options.store.write(stale.map((each) => ({ remove: nameOf(each) })));
    return {
      outages: outages.toSorted((a, b) => a.alert.at - b.alert.at || (a.id < b.id ? -1 : 1)),
      deliveries: deliveries.filter((each) => !stale.includes(each)).toSorted(byAge),
    };
  }

  /** What those have left that are gone. */
  #left(kind: 'alerts' | 'outbox'): Left[] {
    const { mirror, owner, goneGuard } = this.#options;
    return [...mirror.all(kind).values()].flatMap((entry): Left[] => {
      const whose = valueIn(entry).owner;
      if (whose === owner) return [];
      if (whose === NOBODY) return [{ entry, guard: null }];
      const guard = goneGuard(whose);
      return guard === null ? [] : [{ entry, guard }];
    });
  }

  /** Whether they are this process's now: nobody else was quicker, and the owner has not come back. */
  async #take(left: readonly Left[]): Promise<boolean> {
    const { store, mirror, owner } = this.#options;
    if (left.length === 0) return false;
    const gone = new Map(left.flatMap(({ guard }) => (guard === null ? [] : [[guard.name, guard]])));
    const guards = [...left.map(({ entry: { name, modified } }) => ({ name, modified })), ...gone.values()];
    const writes = left.map(({ entry }): Write => {
      return { put: entry.name, value: { ...valueIn(entry), owner } };
    });
    const { done, revision } = await store.commit(guards, writes).catch(unlessRefused);
    if (done) await mirror.reach(revision);
    return done || (revision === 0 && (await this.#isTaken(left)));
  }

  /** Whether they are, although the answer was lost: all, or none. */
  async #isTaken([first]: readonly Left[]): Promise<boolean> {
    const { store, owner } = this.#options;
    const { entry } = first === undefined ? { entry: null } : await store.get(first.entry.name);
    return entry !== null && valueIn(entry).owner === owner;
  }

  async #prune(): Promise<void> {
    const { store, mirror } = this.#options;
    const over = [...mirror.all('alerts').values()].filter((entry) => !valueOf(FORM.alert, entry).outage.open);
    if (over.length <= KEPT_ALERTS) return;
    const beganAt = (entry: Entry) => valueOf(FORM.alert, entry).outage.alert.at;
    const oldest = over.toSorted((a, b) => beganAt(b) - beganAt(a)).slice(KEPT_ALERTS);
    const writes = oldest.flatMap((entry): Write[] => {
      return [{ remove: entry.name }, { remove: NAMES.acknowledgement(valueOf(FORM.alert, entry).outage.id) }];
    });
    await mirror.reach(await store.write(writes));
  }
}

export function putOutage(owner: string, outage: Outage): Write {
  return { put: NAMES.alert(outage.id), value: { owner, outage } };
}

export function putDelivery(owner: string, delivery: Delivery): Write {
  return { put: nameOf(delivery), value: { owner, delivery } };
}

function byAge(a: Delivery, b: Delivery): number {
  const [x, y] = [a, b].map(({ notification, channel }) => ({
    at: notification.at,
    name: `${notification.id} ${channel}`,
  }));
  return (x?.at ?? 0) - (y?.at ?? 0) || ((x?.name ?? '') < (y?.name ?? '') ? -1 : 1);
}

function valueIn(entry: Entry): { readonly owner: string } {
  return entry.name.startsWith(NAMES.alert('')) ? valueOf(FORM.alert, entry) : valueOf(FORM.message, entry);
}

function nameOf({ channel, notification }: Delivery): string {
  return NAMES.message(notification.id, channel);
}

function* portions(left: readonly Left[]): Generator<readonly Left[]> {
  for (let at = 0; at < left.length; at += PORTION) yield left.slice(at, at + PORTION);
}
