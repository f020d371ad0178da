import type { Logger } from '../../pkg/logger/logger.ts';
import { isLoopbackHost } from '../model/app-host.ts';
import { hasCode, messageOf } from '../model/errors.ts';
import type { EventType } from '../model/event.ts';
import type { Instance } from '../model/instance.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import { announcementOf } from '../registry/announcement-of.ts';
import { ANNOUNCEMENT_BEAT_MS, ANNOUNCEMENT_TTL_MS } from '../registry/announcements.ts';
import { waitUntilDrained } from '../registry/drain.ts';
import { heed, type SignOfLife } from '../registry/signs-of-life.ts';
import { type Announced, type Announcer, AnnouncementRefused, type Reply } from './announcer.ts';
import type { AppSettings } from './settings.ts';

/** How long requests in flight may take, in milliseconds: as long as a service's own setting unless that is changed. */
const DRAIN_MS = 30_000;
/** How long managers may be away before agents take over what else they would do; one that is started again is back sooner. Milliseconds. */
const ALONE_MS = 10_000;

interface RegistryAnnouncerOptions {
  readonly registry: AgentRegistry;
  readonly agent: string;
  readonly node: string;
  /** Where load balancers reach apps that name no host. @throws when that cannot be told now. */
  readonly ownHost: () => Promise<string>;
  /** In words. */
  readonly place: string;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly log: Logger;
  /** Default: 30 s. */
  readonly drainMs?: number;
}

/** Announces apps to a registry without a manager in between, and drains them by itself. */
export class RegistryAnnouncer implements Announcer {
  readonly intervalMs = ANNOUNCEMENT_BEAT_MS;
  readonly place: string;
  readonly #options: RegistryAnnouncerOptions;
  /** Since when no manager was seen; epoch milliseconds. */
  #aloneSince: number | null = null;
  readonly #warnings = new Set<string>();

  constructor(options: RegistryAnnouncerOptions) {
    this.#options = options;
    this.place = options.place;
  }

  async announce(settings: AppSettings): Promise<Announced> {
    const { host, healthCheck: _, ...app } = settings;
    const { registry, agent, node } = this.#options;
    const origin = { agent, node, host: host ?? (await this.#ownHost()) };
    const snapshot = await registry.snapshot();
    const announcement = announcementOf(app, origin, snapshot);
    try {
      const instance = await registry.announcements.announce(announcement, ANNOUNCEMENT_TTL_MS);
      const isNew = !snapshot.instances.some(({ id }) => id === instance.id);
      if (isNew) this.#record('instance.announced', instance, `is announced by ${agent}`);
      await this.#warnOfNobody();
      return instance;
    } catch (error) {
      const isOwn = (['PORT_TAKEN', 'LIFECYCLE_CONFLICT', 'INVALID_REQUEST'] as const).some((code) =>
        hasCode(error, code),
      );
      throw isOwn ? new AnnouncementRefused(messageOf(error), { cause: error }) : error;
    }
  }

  async beat(signs: readonly SignOfLife[]): Promise<Reply> {
    const { registry, agent } = this.#options;
    const { unknown, removed, down, up } = await heed(registry, agent, signs, () => this.#present());
    for (const { instance, cause } of down) this.#record('instance.down', instance, `is down: ${cause}`);
    for (const instance of up) this.#record('instance.up', instance, 'is up again');
    if (await this.#isLeftAlone()) await this.#expire();
    return { unknown, removed };
  }

  async withdraw(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const present = await this.#present();
    await Promise.all(ids.flatMap((id) => present.get(id) ?? []).map((instance) => this.#drain(instance, signal)));
  }

  close(): Promise<void> {
    return this.#options.registry.close();
  }

  async #drain(instance: Instance, signal: AbortSignal): Promise<void> {
    const { registry, clock, drainMs = DRAIN_MS } = this.#options;
    const { id } = instance;
    try {
      const { revision } = await registry.update(id, { lifecycle: 'draining' });
      this.#record('instance.draining', instance, 'gets no new requests');
      await waitUntilDrained({ registry, instanceId: id, revision, timeoutMs: drainMs, clock, signal });
      signal.throwIfAborted();
      await registry.remove(id);
      this.#record('instance.removed', instance, 'is removed');
    } catch (error) {
      const isGone = hasCode(error, 'INSTANCE_NOT_FOUND') || hasCode(error, 'LIFECYCLE_CONFLICT');
      if (!isGone) throw error; // somebody has removed it meanwhile
    }
  }

  /** Whether there has been no manager for some time, who would take away what dead agents leave. */
  async #isLeftAlone(): Promise<boolean> {
    const { registry, clock } = this.#options;
    const hasManager = (await registry.manager()) !== null;
    this.#aloneSince = hasManager ? null : (this.#aloneSince ?? clock());
    return this.#aloneSince !== null && clock() - this.#aloneSince >= ALONE_MS;
  }

  /** Each is taken away by one of the agents that are left. */
  async #expire(): Promise<void> {
    const expired = await this.#options.registry.announcements.expire();
    for (const instance of expired.filter(({ lifecycle }) => lifecycle !== 'stopped')) {
      this.#record('instance.expired', instance, `is out: its agent ${instance.agent?.id} gave no sign of life`);
    }
  }

  async #ownHost(): Promise<string> {
    const { ownHost, place } = this.#options;
    const host = await ownHost();
    if (isLoopbackHost(host)) {
      this.#warn(
        `${place} is reached at ${host}, under which no other host reaches the apps: --host names another address`,
      );
    }
    return host;
  }

  /** A prefix that nobody else has is a mistake, and nothing else would tell. */
  async #warnOfNobody(): Promise<void> {
    const { registry, place } = this.#options;
    const [manager, proxies] = await Promise.all([registry.manager(), registry.proxies()]);
    if (manager !== null || proxies.length > 0) return;
    this.#warn(
      `no load balancer and no manager is to be seen in ${place}: are they to come yet, or is the prefix another one?`,
    );
  }

  /** Once. */
  #warn(words: string): void {
    if (!this.#warnings.has(words)) this.#options.log.warn(words);
    this.#warnings.add(words);
  }

  /** Announced instances, by id. */
  async #present(): Promise<ReadonlyMap<string, Instance>> {
    const { instances } = await this.#options.registry.snapshot();
    return new Map(instances.filter(({ agent }) => agent !== null).map((each) => [each.id, each]));
  }

  /** Never in the way of what it tells of. */
  #record(type: EventType, { id, service }: Instance, words: string): void {
    const { registry, clock, log } = this.#options;
    const event = { at: clock(), type, service, instanceId: id, message: `${id} ${words}`, data: {} };
    registry.recordEvent(event).catch((error: unknown) => log.debug({ err: error }, 'an event could not be kept'));
  }
}
