import type { EtcdSettings } from '../../model/registry-settings.ts';
import type { CopyTarget } from '../copy-ends.ts';
import type { HeimdallEvent } from '../../model/event.ts';
import type { Kept } from '../kept.ts';
import { HeimdallError } from '../../model/errors.ts';
import { putDelivery, putOutage } from './alert-store.ts';
import { putChannel } from './alert-book.ts';
import { putInstance, putService } from './changes.ts';
import { beginCopy, contentOf, refuseManagers } from './copying.ts';
import { putStep } from './deployments.ts';
import { EventNames, putEvent } from './events.ts';
import type { ProxyEntry } from './forms.ts';
import { Memories } from './memories.ts';
import { NAMES } from './names.ts';
import { managerOwner } from './owners.ts';
import { putHealth } from './health-records.ts';
import { ensureId } from './registry-id.ts';
import { putRequest } from './request-keys.ts';
import { Samples } from './samples.ts';
import { type Guard, Store, type Write } from './store.ts';

/** So many writes at most go into one commit, and so many bytes: etcd takes 1.5 MB. */
const PORTION = 100;
const PORTION_BYTES = 500_000;
/** A load balancer that used the registry that was copied is replaced within this time; or nobody knows what it does. */
const STRAGGLERS_SECONDS = 20;
/** Who has found out what load balancers before found out. */
const COPIED = 'copied';

interface EtcdTargetOptions {
  readonly etcd: EtcdSettings;
  /** Whose manager it is that goes on with what is copied. */
  readonly node: string;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** A registry in etcd that another one is copied into. */
export class EtcdTarget implements CopyTarget {
  readonly name: string;
  readonly #store: Store;
  readonly #node: string;
  readonly #clock: () => number;
  #mark: Guard | null = null;

  constructor({ etcd, node, clock }: EtcdTargetOptions) {
    this.#store = new Store(etcd);
    this.#node = node;
    this.#clock = clock;
    this.name = `etcd ${this.#store.members.name}`;
  }

  async content(): Promise<string | null> {
    await refuseManagers(this.#store);
    return contentOf(this.#store);
  }

  async begin(from: string, force: boolean): Promise<void> {
    this.#mark = await beginCopy(from, { store: this.#store, force, now: this.#clock() });
  }

  /** What is kept comes first, what is pictured last; the mark goes with the last commit. */
  async write(kept: Kept, done: HeimdallEvent, onProgress: (part: number) => void): Promise<void> {
    const store = this.#store;
    await ensureId(store);
    const names = new EventNames();
    const all: ((place: number) => Write)[] = [
      ...kept.events.map((event) => (place: number) => putEvent(names, event, place)),
      ...kept.steps.map((step) => (place: number) => putStep(step, place)),
      ...(await this.#requests(kept)),
      ...this.#state(kept),
    ];
    let written = 0;
    for (const portion of portions(all)) {
      await store.write(portion);
      written += portion.length;
      onProgress(written / all.length);
    }
    await this.#findings(kept);
    await this.#finish(kept, putEvent(names, done, 0));
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #requests({ requests }: Kept): Promise<(() => Write)[]> {
    const writes = await Promise.all(requests.map((request, place) => putRequest(request, place)));
    return writes.flat().map((write) => () => write);
  }

  #state(kept: Kept): ((place: number) => Write)[] {
    const node = this.#node;
    const now = this.#clock();
    const manager = managerOwner(node, COPIED);
    const writes: Write[] = [
      ...kept.health.map((record) => putHealth(record, now)),
      ...kept.outages.flatMap(({ owner, outage, acknowledgement }): Write[] => {
        const put = putOutage(owner ?? manager, outage);
        return acknowledgement === null
          ? [put]
          : [put, { put: NAMES.acknowledgement(outage.id), value: acknowledgement }];
      }),
      ...kept.deliveries.map(({ owner, delivery }) => putDelivery(owner ?? manager, delivery)),
      ...kept.silences.map((silence) => ({ put: NAMES.silence(silence.id), value: silence })),
      ...kept.channels.map((channel) => putChannel(channel)),
      { put: NAMES.counter('deployments'), value: kept.numbers.deployments },
      { put: NAMES.counter('silences'), value: kept.numbers.silences },
      ...kept.deployments.map((deployment) => ({
        put: NAMES.deployment(node, deployment.id),
        value: { ...deployment, node, nodes: [node] },
      })),
      ...kept.services.flatMap((service) => putService(node, service)),
    ];
    const instances = kept.instances.map((instance) => (place: number) => {
      return putInstance(instance.agent === null ? { ...instance, node } : instance, null, place);
    });
    return [...writes.map((write) => () => write), ...instances];
  }

  /** What goes by itself when nobody renews it. */
  async #findings({ latencies, ejections, samples }: Kept): Promise<void> {
    const memories = new Memories(this.#store, COPIED, this.#clock);
    if (latencies.length > 0) await memories.saveLatencies(latencies);
    if (ejections.length > 0) await memories.saveEjections(ejections, []);
    const traffic = new Samples(this.#store);
    for (const sample of samples) await traffic.write(sample);
  }

  /** As if they were here, and had confirmed nothing: until they are, or for a while, drains wait for them. */
  async #stragglers({ proxies }: Kept): Promise<Write[]> {
    if (proxies.length === 0) return [];
    const lease = await this.#store.grant(STRAGGLERS_SECONDS);
    return proxies.flatMap(({ id, pid, startedAt }): Write[] => {
      const value: ProxyEntry = {
        id,
        pid,
        startedAt,
        appliedRevision: null,
        inFlight: {},
        traffic: [],
        demand: [],
        node: null,
      };
      return [
        { put: NAMES.proxy(id), value, lease },
        { put: NAMES.present(id), value: { pid, startedAt }, lease },
      ];
    });
  }

  async #finish(kept: Kept, event: Write): Promise<void> {
    const mark = this.#mark;
    if (mark === null) throw new Error('write comes after begin');
    const last: Write[] = [
      event,
      ...(await this.#stragglers(kept)),
      { put: NAMES.revision, value: this.#node },
      { remove: NAMES.copying },
    ];
    const { done } = await this.#store.commit([mark], last).catch(() => ({ done: false }));
    if (done || (await this.#store.get(NAMES.copying)).entry === null) return; // what was lost may be the answer alone
    const message = `The copy into the registry ${this.#store.members.name} could not be completed. Begin anew: heimdall registry copy.`;
    throw new HeimdallError('REGISTRY_UNAVAILABLE', message);
  }
}

/** Each knows its place in its commit. */
function* portions(all: readonly ((place: number) => Write)[]): Generator<readonly Write[]> {
  let portion: Write[] = [];
  let bytes = 0;
  for (const make of all) {
    let write = make(portion.length);
    const size = JSON.stringify(write).length;
    if (portion.length === PORTION || (bytes + size > PORTION_BYTES && portion.length > 0)) {
      yield portion;
      [portion, bytes] = [[], 0];
      write = make(0);
    }
    portion.push(write);
    bytes += size;
  }
  if (portion.length > 0) yield portion;
}
