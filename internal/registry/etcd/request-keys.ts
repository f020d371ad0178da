import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import type { KeptRequest } from '../kept.ts';
import {
  type ClaimedRequest,
  type KeptAnswer,
  KeptAnswerSchema,
  MOST_ANSWER_BYTES,
  REQUEST_KEY_MS,
  type RequestClaim,
  type RequestKeys,
} from '../request-keys.ts';
import { unlessRefused } from './faults.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import { FORM } from './forms.ts';
import { Form, valueOf } from './parse.ts';
import type { Entry, Store, Write } from './store.ts';

const ClaimSchema = z.object({
  fingerprint: z.string(),
  /** Epoch milliseconds. */
  at: z.int(),
  /** The handle that it was claimed through; empty: nobody's. */
  claimant: z.string(),
  /** Tells one claim from another by the same handle, and the older from the newer. */
  place: z.int(),
  /** Octets of the answer; null: there is none. */
  bytes: z.int().nullable(),
});
type Claim = z.infer<typeof ClaimSchema>;
const CLAIM = new Form(ClaimSchema);
/** Of an answer, compressed, in base64: a value of etcd has at most 1.5 MB. One that is larger is not kept. */
const MOST_PACKED = 1_000_000;

type Source = Pick<Mirror, 'ready' | 'reach' | 'get' | 'all' | 'kinds'>;

interface RequestKeysOptions {
  readonly store: Pick<Store, 'get' | 'commit' | 'write'>;
  /** Of `requests/`. */
  readonly mirror: Source;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Tells this handle from those before it. */
  readonly claimant: string;
  /** Keys that are kept. */
  readonly most: number;
}

/** Keys in memory, so that they can be counted; answers are fetched. */
export class EtcdRequestKeys implements RequestKeys {
  readonly #options: RequestKeysOptions;
  /** Calls about one key come one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** So far, through this handle. */
  #claims = 0;
  #trimming: Promise<void> | null = null;

  constructor(options: RequestKeysOptions) {
    this.#options = options;
  }

  async claim({ owner, key, fingerprint }: RequestClaim): Promise<ClaimedRequest | null> {
    const { mirror, clock, claimant } = this.#options;
    const name = NAMES.request(owner, key);
    const known = await this.#inTurn(name, async () => {
      await mirror.ready();
      const present = mirror.get(name);
      if (present !== null && !this.#isOld(present)) return present;
      this.#claims += 1;
      const value: Claim = { fingerprint, at: clock(), claimant, place: this.#claims, bytes: null };
      return this.#put(name, present, value);
    });
    if (known !== null) return this.#claimed(known, owner, key);
    if (countOf(this.#options.mirror) > this.#options.most) await this.#trim();
    return null;
  }

  async settle({ owner, key, fingerprint }: RequestClaim, answer: KeptAnswer): Promise<void> {
    const packed = await pack(answer);
    if (packed === null) {
      await this.giveUp({ owner, key, fingerprint });
      return;
    }
    await this.#change({ owner, key, fingerprint }, (claim, name) => [
      { put: NAMES.answer(owner, key), value: packed.value },
      { put: name, value: { ...claim, bytes: packed.bytes } },
    ]);
    await this.#trim();
  }

  async giveUp(claim: RequestClaim): Promise<void> {
    await this.#change(claim, (known, name) =>
      known.bytes === null ? [{ put: name, value: { ...known, claimant: '' } }] : [],
    );
  }

  async release(claim: RequestClaim): Promise<void> {
    await this.#change(claim, (known, name) => (known.bytes === null ? [{ remove: name }] : []));
  }

  /** Null: it is this request's now; otherwise what somebody else has made of it. */
  async #put(name: string, present: Entry | null, value: Claim): Promise<Entry | null> {
    const { store, mirror } = this.#options;
    const guard = { name, modified: present?.modified ?? 0 };
    const { done, revision } = await store.commit([guard], [{ put: name, value }]).catch(unlessRefused);
    if (done) {
      await mirror.reach(revision);
      return null;
    }
    const { entry } = await store.get(name);
    if (entry === null || this.#isOld(entry)) return this.#put(name, entry, value);
    const { claimant, place } = valueOf(CLAIM, entry);
    return claimant === value.claimant && place === value.place ? null : entry;
  }

  async #change(
    { owner, key, fingerprint }: RequestClaim,
    writesOf: (claim: Claim, name: string) => readonly Write[],
  ): Promise<void> {
    const { store, mirror } = this.#options;
    const name = NAMES.request(owner, key);
    await this.#inTurn(name, async () => {
      await mirror.ready();
      const entry = mirror.get(name);
      const claim = entry && valueOf(CLAIM, entry);
      if (claim?.fingerprint !== fingerprint) return;
      const writes = writesOf(claim, name);
      if (writes.length > 0) await mirror.reach(await store.write(writes));
    });
  }

  async #claimed(entry: Entry, owner: string, key: string): Promise<ClaimedRequest> {
    const { fingerprint, claimant, bytes } = valueOf(CLAIM, entry);
    const answer = bytes === null ? null : await this.#answer(owner, key);
    return { fingerprint, answer, isOurs: claimant === this.#options.claimant };
  }

  async #answer(owner: string, key: string): Promise<KeptAnswer | null> {
    const { entry } = await this.#options.store.get(NAMES.answer(owner, key));
    if (entry === null) return null;
    const text = await promisify(gunzip)(Buffer.from(valueOf(FORM.text, entry), 'base64'));
    return KeptAnswerSchema.parse(JSON.parse(text.toString()));
  }

  #isOld(entry: Entry): boolean {
    return valueOf(CLAIM, entry).at < this.#options.clock() - REQUEST_KEY_MS;
  }

  /** Forgets those that are too old or too many, the oldest first. One trim serves all that wait for it. */
  #trim(): Promise<void> {
    this.#trimming ??= Promise.resolve().then(() => {
      this.#trimming = null;
      return this.#forget();
    });
    return this.#trimming;
  }

  async #forget(): Promise<void> {
    const { store, mirror, most } = this.#options;
    const claims = entriesOf(mirror);
    let count = claims.length;
    let bytes = claims.reduce((sum, entry) => sum + (valueOf(CLAIM, entry).bytes ?? 0), 0);
    const isTooMuch = (entry: Entry) => count > most || bytes > MOST_ANSWER_BYTES || this.#isOld(entry);
    if (count <= most && bytes <= MOST_ANSWER_BYTES && !claims.some((entry) => this.#isOld(entry))) return;
    const writes: Write[] = [];
    for (const entry of claims.toSorted(byAge)) {
      if (!isTooMuch(entry)) break;
      count -= 1;
      bytes -= valueOf(CLAIM, entry).bytes ?? 0;
      writes.push({ remove: entry.name }, { remove: entry.name.replace(/^requests\//, 'kept/answers/') });
    }
    await mirror.reach(await store.write(writes));
  }

  #inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#turns.get(name) ?? Promise.resolve()).then(work);
    const over = result
      .catch(() => undefined)
      .finally(() => {
        if (this.#turns.get(name) === over) this.#turns.delete(name);
      });
    this.#turns.set(name, over);
    return result;
  }
}

/** One that another registry has kept. @param place - the older comes first. */
export async function putRequest({ claim, at, answer }: KeptRequest, place: number): Promise<Write[]> {
  const { owner, key, fingerprint } = claim;
  const packed = answer && (await pack(answer));
  const value: Claim = { fingerprint, at, claimant: '', place, bytes: packed?.bytes ?? null };
  const put: Write = { put: NAMES.request(owner, key), value };
  return packed === null ? [put] : [put, { put: NAMES.answer(owner, key), value: packed.value }];
}

/** Null: it is too large. */
async function pack(answer: KeptAnswer): Promise<{ readonly value: string; readonly bytes: number } | null> {
  const text = JSON.stringify(answer);
  const value = (await promisify(gzip)(text)).toString('base64');
  return value.length > MOST_PACKED ? null : { value, bytes: Buffer.byteLength(text) };
}

function countOf(mirror: Source): number {
  return [...mirror.kinds()].reduce((sum, kind) => sum + mirror.all(kind).size, 0);
}

function entriesOf(mirror: Source): Entry[] {
  return [...mirror.kinds()].flatMap((kind) => [...mirror.all(kind).values()]);
}

function byAge(a: Entry, b: Entry): number {
  const [x, y] = [valueOf(CLAIM, a), valueOf(CLAIM, b)];
  if (x.at !== y.at) return x.at - y.at;
  return x.claimant === y.claimant ? x.place - y.place : a.created - b.created;
}
