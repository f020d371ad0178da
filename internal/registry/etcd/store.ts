import type { Etcd3, ICompare, IKeyValue, IRequestOp, IWatchResponse } from 'etcd3';
import type { EtcdSettings } from '../../model/registry-settings.ts';
import { faultOf } from './faults.ts';
import { Members } from './members.ts';

/** A key and its value. */
export interface Entry {
  /** Before the name, as etcd has it. */
  readonly prefix: string;
  /** Without the prefix. */
  readonly name: string;
  /** JSON. */
  readonly value: string;
  /** The revision of its last change. */
  readonly modified: number;
  /** The revision in which it was made. */
  readonly created: number;
  /** With which it goes; null: it stays. */
  readonly lease: string | null;
}

/** What must hold for a commit to be carried out; 0 stands for a key that is not there. */
export type Guard =
  | { readonly name: string; readonly modified: number }
  | { readonly name: string; readonly created: number };

export type Write =
  | { readonly put: string; readonly value: unknown; readonly lease?: string | null }
  | { readonly remove: string };

export interface Listing {
  readonly revision: number;
  readonly entries: Entry[];
  /** Whether there are more than were asked for. */
  readonly more: boolean;
}

export interface Outcome {
  readonly done: boolean;
  readonly revision: number;
  /** When not done: the revisions that the guarded keys have in truth, by name; 0: not there. */
  readonly found: ReadonlyMap<string, number>;
}

/** Of the changes of keys. */
export type WatchStream = Awaited<ReturnType<Etcd3['watchClient']['watch']>>;

/** At most so many writes, and so many guards, go into one commit: etcd takes 128 unless it is told otherwise. */
export const MOST_WRITES = 120;
/** Nor more octets of values, unless one alone has more: etcd takes 1.5 MiB, with all that belongs to them. */
const MOST_BYTES = 1_000_000;
const NOTHING_FOUND: ReadonlyMap<string, number> = new Map();

/** The keys below one prefix of etcd. All names are without the prefix. */
export class Store {
  readonly members: Members;
  readonly #prefix: string;

  constructor(settings: EtcdSettings) {
    this.members = new Members(settings);
    this.#prefix = `${settings.prefix}/`;
  }

  /** As etcd has it. */
  fullName(name: string): string {
    return this.#prefix + name;
  }

  async get(name: string): Promise<{ readonly revision: number; readonly entry: Entry | null }> {
    const key = this.#key(name);
    const { header, kvs } = await this.members.ask((client, options) => client.kv.range({ key }, options));
    const [kv] = kvs;
    return { revision: Number(header.revision), entry: kv === undefined ? null : this.entryOf(kv) };
  }

  /** By name. @param range.from - the first name; its beginning is the same. @param range.revision - as it was then. */
  async list(
    beginning: string,
    range: {
      readonly from?: string;
      readonly limit?: number;
      readonly revision?: number;
      readonly namesOnly?: boolean;
    } = {},
  ): Promise<Listing> {
    const { from = beginning, limit = 0, revision = 0, namesOnly = false } = range;
    const request = {
      key: this.#key(from),
      range_end: this.#key(endOf(beginning)),
      limit,
      revision,
      keys_only: namesOnly,
    };
    const { header, kvs, more } = await this.members.ask((client, options) => client.kv.range(request, options));
    return { revision: Number(header.revision), entries: kvs.map((kv) => this.entryOf(kv)), more };
  }

  async count(beginning: string): Promise<number> {
    const request = { key: this.#key(beginning), range_end: this.#key(endOf(beginning)), count_only: true };
    return Number((await this.members.ask((client, options) => client.kv.range(request, options))).count);
  }

  /**
   * Carries out all of the writes if all guards hold. Asks one member, once.
   * @throws {HeimdallError} whose cause is final (`isFinal`) when nothing was carried out; else that is not known.
   */
  async commit(guards: readonly Guard[], writes: readonly Write[]): Promise<Outcome> {
    const names = [...new Set(guards.map(({ name }) => name))];
    const request = {
      compare: guards.map((each) => this.#compare(each)),
      success: writes.map((each) => this.#op(each)),
      failure: names.map((name) => ({ request_range: { key: this.#key(name), keys_only: true } })),
    };
    const call = this.members.once((client, options) => client.kv.txn(request, options));
    const { succeeded, header, responses } = await call.catch((error: unknown) => {
      throw faultOf(error, this.members.name);
    });
    const outcome = { done: succeeded, revision: Number(header.revision) };
    if (succeeded) return { ...outcome, found: NOTHING_FOUND };
    const found = responses.map(({ response_range: { kvs } }, at): [string, number] => {
      return [names[at] ?? '', Number(kvs[0]?.mod_revision ?? 0)];
    });
    return { ...outcome, found: new Map(found) };
  }

  /**
   * For writes that come to the same when they are carried out twice; more than fit into one commit go into several.
   * Returns the revision of the last change; 0: there was none, as what was to be removed was gone.
   */
  async write(writes: readonly Write[]): Promise<number> {
    let revision = 0;
    for (const success of portions(writes.map((each) => this.#op(each)))) {
      const { header, responses } = await this.members.ask((client, options) => client.kv.txn({ success }, options));
      const isChange = responses.some(
        ({ response_delete_range: removal }, at) =>
          success[at]?.request_put !== undefined || Number(removal?.deleted ?? 0) > 0,
      );
      if (isChange) revision = Number(header.revision);
    }
    return revision;
  }

  /** Those whose names begin so. @param from - and that do not come before this one. Returns how many there were. */
  async removeAll(beginning: string, from = beginning): Promise<number> {
    const request = { key: this.#key(from), range_end: this.#key(endOf(beginning)) };
    const { deleted } = await this.members.ask((client, options) => client.kv.deleteRange(request, options));
    return Number(deleted);
  }

  /** Returns its id. @param seconds - it ends when it was not kept alive for so long. */
  async grant(seconds: number): Promise<string> {
    const { ID } = await this.members.ask((client, options) =>
      client.leaseClient.leaseGrant({ TTL: seconds, ID: 0 }, options),
    );
    return ID;
  }

  /** Returns whether it was alive still. */
  async keepAlive(lease: string): Promise<boolean> {
    const { TTL } = await this.members.ask(async (client, options) => {
      const stream = await client.leaseClient.leaseKeepAlive(options);
      return new Promise<{ TTL: string }>((resolve, reject) => {
        stream.on('error', reject);
        stream.on('end', () => reject(new Error('the member ended the call')));
        stream.on('data', (answer) => {
          resolve(answer);
          stream.end();
        });
        stream.write({ ID: lease });
      });
    });
    return Number(TTL) > 0;
  }

  /** For how many seconds it will be alive yet; 0: it is over. */
  async timeLeft(lease: string): Promise<number> {
    const { TTL } = await this.members.ask((client, options) =>
      client.leaseClient.leaseTimeToLive({ ID: lease, keys: false }, options),
    );
    return Math.max(0, Number(TTL));
  }

  /** Takes away what was written with it. */
  async revoke(lease: string): Promise<void> {
    await this.members.ask(async (client, options) => {
      const left = await client.leaseClient.leaseTimeToLive({ ID: lease, keys: false }, options);
      if (Number(left.TTL) > 0) await client.leaseClient.leaseRevoke({ ID: lease }, options);
    });
  }

  /** Of all changes from a revision on of what begins so. */
  async watch(beginning: string, fromRevision: number): Promise<WatchStream> {
    const stream = await this.members.once((client) => client.watchClient.watch());
    stream.write({
      create_request: {
        key: this.#key(beginning),
        range_end: this.#key(endOf(beginning)),
        start_revision: fromRevision,
      },
    });
    return stream;
  }

  /** The changes that a message of a watch tells of, in their order. */
  changesOf({ events }: IWatchResponse): { readonly entry: Entry; readonly removed: boolean }[] {
    return events.map(({ type, kv }) => ({
      entry: this.entryOf(kv),
      removed: type === 'Delete',
    }));
  }

  entryOf({ key, value, mod_revision, create_revision, lease }: IKeyValue): Entry {
    return {
      prefix: this.#prefix,
      name: key.toString().slice(this.#prefix.length),
      value: value.toString(),
      modified: Number(mod_revision),
      created: Number(create_revision),
      lease: lease === '0' ? null : lease,
    };
  }

  close(): Promise<void> {
    return this.members.close();
  }

  #key(name: string): Buffer {
    return Buffer.from(this.fullName(name));
  }

  #compare(guard: Guard): ICompare {
    const key = this.#key(guard.name);
    return 'modified' in guard
      ? { key, result: 'Equal', target: 'Mod', mod_revision: guard.modified }
      : { key, result: 'Equal', target: 'Create', create_revision: guard.created };
  }

  #op(write: Write): IRequestOp {
    if ('remove' in write) return { request_delete_range: { key: this.#key(write.remove) } };
    const value = Buffer.from(JSON.stringify(write.value));
    return { request_put: { key: this.#key(write.put), value, lease: write.lease ?? 0 } };
  }
}

function* portions(ops: readonly IRequestOp[]): Generator<IRequestOp[]> {
  let portion: IRequestOp[] = [];
  let bytes = 0;
  for (const op of ops) {
    const size = op.request_put?.value?.length ?? 0;
    if (portion.length === MOST_WRITES || (portion.length > 0 && bytes + size > MOST_BYTES)) {
      yield portion;
      [portion, bytes] = [[], 0];
    }
    portion.push(op);
    bytes += size;
  }
  if (portion.length > 0) yield portion;
}

/** The name after all that begin so. */
function endOf(beginning: string): string {
  return beginning.slice(0, -1) + String.fromCharCode(beginning.charCodeAt(beginning.length - 1) + 1);
}
