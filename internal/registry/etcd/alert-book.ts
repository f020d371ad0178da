import type { AddedChannel } from '../../../pkg/alerts/added-channel.ts';
import type { Acknowledgement, AlertBook, AlertControls, AlertRecord, Silence } from '../../../pkg/alerts/book.ts';
import { alertNotFound, channelNotFound, silenceNotFound } from '../refusals.ts';
import type { Commits } from './commits.ts';
import { nextNumber } from './counters.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
import { valueOf } from './parse.ts';
import { FORM } from './forms.ts';
import type { Write } from './store.ts';

interface AlertBookOptions {
  readonly mirror: Mirror;
  readonly commits: Commits;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** The history of alerts in etcd; what people say of alerts is written by managers. */
export class EtcdAlertBook implements AlertBook {
  readonly #options: AlertBookOptions;

  constructor(options: AlertBookOptions) {
    this.#options = options;
  }

  async alerts({ limit, state, service }: Parameters<AlertBook['alerts']>[0]): Promise<AlertRecord[]> {
    await this.#options.mirror.ready();
    return this.#records()
      .filter(({ resolvedAt }) => state === undefined || (resolvedAt === null) === (state === 'active'))
      .filter(({ alert }) => service === undefined || alert.service === service)
      .slice(0, limit);
  }

  acknowledge(name: string, acknowledgement: Acknowledgement): Promise<AlertRecord> {
    return this.#options.commits.run(() => {
      const record = this.#active(name);
      const { at, by, comment } = acknowledgement;
      const value = { at, by, comment };
      const alert = this.#options.mirror.get(NAMES.alert(record.id));
      return {
        guards: [{ name: NAMES.alert(record.id), created: alert?.created ?? 0 }],
        writes: [{ put: NAMES.acknowledgement(record.id), value }],
        isDesired: false,
        result: () => ({ ...record, acknowledgement: value }),
      };
    });
  }

  async silences(): Promise<Silence[]> {
    await this.#options.mirror.ready();
    return silencesAfter(this.#options.mirror, this.#options.clock());
  }

  addSilence(draft: Omit<Silence, 'id'>): Promise<Silence> {
    const { mirror, commits, clock } = this.#options;
    return commits.run(() => {
      const { match, createdAt, until, by, comment } = draft;
      const { number, guard, write } = nextNumber(mirror, 'silences');
      const silence = { id: number, match, createdAt, until, by, comment };
      const over = allSilences(mirror).filter((each) => each.until <= clock());
      const removals = over.slice(0, 100).map(({ id }): Write => ({ remove: NAMES.silence(id) }));
      return {
        guards: [guard],
        writes: [write, { put: NAMES.silence(number), value: silence }, ...removals],
        isDesired: false,
        result: () => silence,
      };
    });
  }

  removeSilence(id: number): Promise<Silence> {
    return this.#options.commits.run(() => {
      const entry = this.#options.mirror.get(NAMES.silence(id));
      if (entry === null) throw silenceNotFound(id);
      return this.#removal(entry.name, entry.modified, valueOf(FORM.silence, entry));
    });
  }

  async channels(): Promise<AddedChannel[]> {
    await this.#options.mirror.ready();
    return readChannels(this.#options.mirror);
  }

  putChannel(channel: AddedChannel): Promise<void> {
    return this.#options.commits.run(() => ({
      guards: [],
      writes: [putChannel(channel)],
      isDesired: false,
      result: () => {},
    }));
  }

  removeChannel(name: string): Promise<AddedChannel> {
    return this.#options.commits.run(() => {
      const entry = this.#options.mirror.get(NAMES.channel(name));
      if (entry === null) throw channelNotFound(name);
      return this.#removal(entry.name, entry.modified, valueOf(FORM.channel, entry));
    });
  }

  #removal<T>(name: string, modified: number, value: T) {
    return { guards: [{ name, modified }], writes: [{ remove: name }], isDesired: false, result: () => value };
  }

  /** Those that began last come first. */
  #records(): AlertRecord[] {
    const { mirror } = this.#options;
    const records = Array.from(mirror.all('alerts').values(), (entry): AlertRecord => {
      const { id, alert, resolvedAt, announced } = valueOf(FORM.alert, entry).outage;
      const said = mirror.get(NAMES.acknowledgement(id));
      const acknowledgement = said && valueOf(FORM.acknowledgement, said);
      return { id, alert, resolvedAt, announced: announced.some((at) => at >= alert.at), acknowledgement };
    });
    return records.toSorted((a, b) => Math.round(b.alert.at) - Math.round(a.alert.at) || (a.id < b.id ? -1 : 1));
  }

  /** @throws {HeimdallError} ALERT_NOT_FOUND */
  #active(name: string): AlertRecord {
    const record = this.#records().find(
      ({ id, alert, resolvedAt }) => resolvedAt === null && (id === name || alert.key === name),
    );
    if (record === undefined) throw alertNotFound(name);
    return record;
  }
}

export function putChannel({ name, spec, at, by }: AddedChannel): Write {
  return { put: NAMES.channel(name), value: { name, spec, at, by } };
}

/** By name. */
export function readChannels(mirror: Mirror): AddedChannel[] {
  const channels = Array.from(mirror.all('channels').values(), (entry) => valueOf(FORM.channel, entry));
  return channels.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** @param now - epoch milliseconds. */
export function readControls(mirror: Mirror, now: number): AlertControls {
  const open = Array.from(mirror.all('alerts').values(), (entry) => valueOf(FORM.alert, entry).outage).filter(
    (outage) => outage.open,
  );
  const acknowledged = open.filter(({ id }) => mirror.get(NAMES.acknowledgement(id)) !== null);
  return { silences: silencesAfter(mirror, now), acknowledged: new Set(acknowledged.map(({ id }) => id)) };
}

function silencesAfter(mirror: Mirror, now: number): Silence[] {
  return allSilences(mirror).filter(({ until }) => until > now);
}

/** Oldest first. */
function allSilences(mirror: Mirror): Silence[] {
  const silences = Array.from(mirror.all('silences').values(), (entry) => valueOf(FORM.silence, entry));
  return silences.toSorted((a, b) => a.id - b.id);
}
