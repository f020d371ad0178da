import type { Alert } from '../../../pkg/alerts/alert.ts';
import { AppHostSchema, isLoopbackHost } from '../../model/app-host.ts';
import { HeimdallError } from '../../model/errors.ts';
import type { Deregistration, HeartbeatAnswer, HeartbeatRequest, RegisterRequest } from '../../model/agent-bodies.ts';
import { declaredInstances, type Instance } from '../../model/instance.ts';
import type { Service } from '../../model/service.ts';
import { announcementOf } from '../../registry/announcement-of.ts';
import { ANNOUNCEMENT_BEAT_MS, ANNOUNCEMENT_TTL_MS, type Announcement } from '../../registry/announcements.ts';
import type { Snapshot } from '../../registry/registry.ts';
import { heed } from '../../registry/signs-of-life.ts';
import type { DrainSpan } from '../../registry/drain.ts';
import type { Place } from '../draft.ts';
import { serviceNamed } from '../service-named.ts';
import type { SupervisorContext } from '../supervisor-context.ts';
import { AnnouncedDrains, type RetireOptions } from './announced-drains.ts';
import { SilentAgents } from './silent-agents.ts';

export const PACE = { ttlMs: ANNOUNCEMENT_TTL_MS, intervalMs: ANNOUNCEMENT_BEAT_MS } as const;
/** For how long one reading of the registry serves heartbeats, in milliseconds: most of them change nothing. */
const PICTURE_MS = 1_000;
/** Where no agent is heard, every so many looks go beyond what is overdue: agents may tell another manager, or the registry. */
const QUIET_LOOKS = 5;

interface AnnouncedOptions {
  readonly context: SupervisorContext;
  /** The services as they are configured now. */
  readonly services: () => readonly Service[];
  readonly place: Place;
  /** Resolves when the manager knows what an earlier one left. @throws {HeimdallError} SHUTTING_DOWN, or why it could not start. */
  readonly ready: () => Promise<void>;
}

/** The instances that agents announce: no manager spawned them, any may see to them. */
export class AnnouncedInstances {
  readonly #options: AnnouncedOptions;
  readonly #drains: AnnouncedDrains;
  readonly #silent: SilentAgents;
  #picture: { readonly at: number; readonly instances: ReadonlyMap<string, Instance> } | null = null;
  #looks = 0;
  /** How often the picture was given up: one that was read before that is not kept. */
  #pictures = 0;

  constructor(options: AnnouncedOptions) {
    this.#options = options;
    this.#drains = new AnnouncedDrains(options.context, options.services);
    this.#silent = new SilentAgents(options.context.alerts);
  }

  /**
   * Puts apps into rotation. One that is announced already keeps its id.
   * @param address - of whoever asks, for apps without a host; null: it is not known.
   * @throws {HeimdallError} INVALID_REQUEST when nobody would reach the app; SERVICE_NOT_FOUND; AGENTS_REFUSED when the service
   * takes none; PORT_TAKEN by what no agent announced: none of the apps is announced then. PORT_TAKEN by another agent's; LIFECYCLE_CONFLICT while it is being drained: those
   * before it are.
   */
  async register(request: RegisterRequest, address: string | null): Promise<Instance[]> {
    const { context, ready, services } = this.#options;
    await ready();
    const snapshot = await context.registry.snapshot();
    const announcements = request.apps.map((app) => this.#announcementOf(app, request, address, snapshot));
    for (const announcement of announcements) assertFree(announcement, snapshot.instances, services());
    const instances: Instance[] = [];
    for (const announcement of announcements) {
      const instance = await context.registry.announcements.announce(announcement, ANNOUNCEMENT_TTL_MS);
      instances.push(instance);
      this.#tell(snapshot.instances.find(({ id }) => id === instance.id) ?? null, instance);
    }
    this.#forgetPicture();
    this.#silent.heard(request.agent, context.clock());
    return instances;
  }

  /** Keeps instances in the registry, and takes those out of rotation, or back, whose apps went down, or up. */
  async heartbeat({ agent, instances }: HeartbeatRequest): Promise<HeartbeatAnswer> {
    const { context, ready } = this.#options;
    await ready();
    const signs = instances.map(({ id, state, cause = 'its agent says so' }) => ({ id, isUp: state === 'up', cause }));
    const { unknown, removed, down, up } = await heed(context.registry, agent, signs, () => this.#present());
    for (const { instance, cause } of down) {
      context.journal.record('instance.down', instance, `${instance.id} is down: ${cause}`);
    }
    for (const instance of up) context.journal.record('instance.up', instance, `${instance.id} is up again`);
    if (down.length + up.length > 0) this.#forgetPicture();
    if (unknown.length < signs.length) this.#silent.heard(agent, context.clock());
    return { unknown: [...unknown], removed: [...removed], ...PACE };
  }

  /** The acknowledged drain, for an agent that wants it. @throws {HeimdallError} REGISTRY_UNAVAILABLE, SHUTTING_DOWN. */
  async deregister(
    { agent, instances: ids }: { readonly agent: string; readonly instances: readonly string[] },
    { force }: Pick<RetireOptions, 'force'>,
  ): Promise<Deregistration & { readonly instances: readonly Instance[] }> {
    const { context, ready } = this.#options;
    await ready();
    const { instances } = await context.registry.snapshot();
    const own = instances.filter((each) => each.agent?.id === agent && ids.includes(each.id));
    await Promise.all(own.map((instance) => this.retire(instance, { force, tell: false })));
    const gone = own.map(({ id }) => id);
    return { gone, unknown: ids.filter((id) => !gone.includes(id)), instances: own };
  }

  /** See `AnnouncedDrains.retire`. */
  async retire(instance: Instance, options: RetireOptions): Promise<void> {
    const drained = this.#drains.retire(instance, options);
    this.#forgetPicture();
    await drained.finally(() => this.#forgetPicture());
  }

  /** Null while it is not being drained by this manager. */
  drainOf(id: string): DrainSpan | null {
    return this.#drains.spanOf(id);
  }

  /** Goes on with alerts of agents that are gone. @param told - of all kinds. */
  inherit(told: readonly Alert[]): void {
    this.#silent.inherit(told);
  }

  /** Takes away what is overdue. To be called every second. @throws {HeimdallError} REGISTRY_UNAVAILABLE. */
  async look(): Promise<void> {
    const { registry, journal, clock } = this.#options.context;
    const expired = (await registry.announcements.expire()).filter(({ lifecycle }) => lifecycle !== 'stopped');
    for (const instance of expired) {
      const message = `${instance.id} is out: its agent ${instance.agent?.id} gave no sign of life`;
      journal.record('instance.expired', instance, message);
    }
    if (expired.length > 0) this.#forgetPicture();
    this.#looks += 1;
    const isQuiet = expired.length === 0 && this.#picture === null && this.#silent.isEmpty;
    if (isQuiet && this.#looks % QUIET_LOOKS !== 0) return;
    const present = [...(await this.#present()).values()];
    this.#silent.look(expired, present, clock());
    this.#drains.look(present);
    if (present.length === 0) this.#forgetPicture();
  }

  #announcementOf(
    { host, ...app }: RegisterRequest['apps'][number],
    { agent, node }: RegisterRequest,
    address: string | null,
    snapshot: Snapshot,
  ): Announcement {
    const { name, agents } = serviceNamed(this.#options.services(), app.service);
    if (!agents) {
      const remedy = 'set "agents": true for it in the configuration of the manager';
      throw new HeimdallError('AGENTS_REFUSED', `service ${name} takes no instances from agents: ${remedy}`);
    }
    return announcementOf(app, { agent, node, host: this.#hostOf(host, address) }, snapshot);
  }

  /** Where load balancers reach it. @throws {HeimdallError} INVALID_REQUEST. */
  #hostOf(named: string | undefined, address: string | null): string {
    const isHere = address !== null && isLoopbackHost(address);
    if (named !== undefined && isLoopbackHost(named) && !isHere) {
      throw unreachable(`${named} is each load balancer itself: name an address under which they reach the app`);
    }
    if (named !== undefined) return named;
    if (isHere) return this.#options.place.host;
    const seen = AppHostSchema.safeParse(address);
    if (seen.success) return seen.data;
    const why = address === null ? 'the call came through a proxy' : `the call came from ${address}`;
    throw unreachable(`${why}: name the address under which load balancers reach the app (--host of the agent)`);
  }

  #tell(before: Instance | null, instance: Instance): void {
    const { journal } = this.#options.context;
    const { id, host, port, agent } = instance;
    const data = { host, port, agent: agent?.id };
    if (before === null) journal.record('instance.announced', instance, `${id} is announced by ${agent?.id}`, data);
    else if (before.lifecycle !== 'ready') journal.record('instance.up', instance, `${id} is up again`, data);
  }

  /** Announced instances, by id; of a moment ago. */
  async #present(): Promise<ReadonlyMap<string, Instance>> {
    const { registry, clock } = this.#options.context;
    const at = clock();
    if (this.#picture !== null && Math.abs(at - this.#picture.at) < PICTURE_MS) return this.#picture.instances;
    const pictures = this.#pictures;
    const { instances } = await registry.snapshot();
    const announced = new Map(instances.filter(({ agent }) => agent !== null).map((each) => [each.id, each]));
    if (pictures === this.#pictures) this.#picture = { at, instances: announced };
    return announced;
  }

  #forgetPicture(): void {
    this.#picture = null;
    this.#pictures += 1;
  }
}

function unreachable(message: string): HeimdallError {
  return new HeimdallError('INVALID_REQUEST', message, { errors: [{ path: 'body.apps', message }] });
}

/** @throws {HeimdallError} PORT_TAKEN. */
function assertFree({ host, port, agent }: Announcement, present: readonly Instance[], services: readonly Service[]) {
  const others = [...present.filter((each) => each.agent === null), ...services.flatMap(declaredInstances)];
  const holder = others.find((each) => each.host.toLowerCase() === host && each.port === port);
  if (holder === undefined) return;
  const message = `${holder.id} is on port ${port} of ${host} already, and no agent announced it (${agent.id} did not)`;
  throw new HeimdallError('PORT_TAKEN', message, { host, port, holder: holder.id });
}
