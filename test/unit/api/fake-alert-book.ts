import { HeimdallError } from '../../../internal/model/errors.ts';
import type { AddedChannel } from '../../../pkg/alerts/added-channel.ts';
import type { AlertBook, AlertRecord, Silence } from '../../../pkg/alerts/book.ts';

/** Keeps everything in memory. */
export class FakeAlertBook implements AlertBook {
  readonly kept: Silence[] = [];
  readonly queries: unknown[] = [];
  readonly #channels = new Map<string, AddedChannel>();
  readonly #records: AlertRecord[];

  constructor(...records: AlertRecord[]) {
    this.#records = records;
  }

  async alerts(query: unknown): Promise<AlertRecord[]> {
    this.queries.push(query);
    return this.#records;
  }

  async acknowledge(name: string, acknowledgement: AlertRecord['acknowledgement']): Promise<AlertRecord> {
    const record = this.#records.find(({ id, alert }) => id === name || alert.key === name);
    if (record === undefined) throw new HeimdallError('ALERT_NOT_FOUND', `there is no active alert ${name}`);
    return { ...record, acknowledgement };
  }

  async silences(): Promise<Silence[]> {
    return this.kept;
  }

  async addSilence(draft: Omit<Silence, 'id'>): Promise<Silence> {
    const silence = { id: this.kept.length + 1, ...draft };
    this.kept.push(silence);
    return silence;
  }

  async removeSilence(id: number): Promise<Silence> {
    const at = this.kept.findIndex((silence) => silence.id === id);
    const [removed] = at === -1 ? [] : this.kept.splice(at, 1);
    if (removed === undefined) throw new HeimdallError('SILENCE_NOT_FOUND', `there is no silence ${id}`);
    return removed;
  }

  async channels(): Promise<AddedChannel[]> {
    return [...this.#channels.values()];
  }

  async putChannel(channel: AddedChannel): Promise<void> {
    this.#channels.set(channel.name, channel);
  }

  async removeChannel(name: string): Promise<AddedChannel> {
    const channel = this.#channels.get(name);
    if (channel === undefined) throw new HeimdallError('CHANNEL_NOT_FOUND', `there is no channel ${name}`);
    this.#channels.delete(name);
    return channel;
  }
}
