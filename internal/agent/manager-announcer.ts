import { z } from 'zod';
import type { Logger } from '../../pkg/logger/logger.ts';
import { type Client, createClient } from '../client/client.ts';
import { HeimdallApiError } from '../client/errors.ts';
import { type ErrorCode, messageOf } from '../model/errors.ts';
import { ANNOUNCEMENT_BEAT_MS } from '../registry/announcements.ts';
import type { SignOfLife } from '../registry/signs-of-life.ts';
import { type Announced, type Announcer, AnnouncementRefused, type Reply } from './announcer.ts';
import type { AgentSettings, AppSettings } from './settings.ts';
import { signedFetch } from './signed-fetch.ts';

/** How long a manager may take to answer, milliseconds: the next sign of life must not be late. */
const PATIENCE_MS = 2_000;
/** Whatever a manager says. */
const SHORTEST_MS = 200;
const LONGEST_MS = 4_000;

const OF_APP = new Set<string>([
  'INVALID_REQUEST',
  'SERVICE_NOT_FOUND',
  'AGENTS_REFUSED',
  'PORT_TAKEN',
  'LIFECYCLE_CONFLICT',
] satisfies ErrorCode[]);

const PaceSchema = z.object({ intervalMs: z.number() });
const InstanceSchema = z.object({ id: z.string().min(1).max(200), host: z.string().max(253) });
const RegisteredSchema = PaceSchema.extend({ instances: z.tuple([InstanceSchema]) });
const ReplySchema = PaceSchema.extend({ unknown: z.array(z.string()), removed: z.array(z.string()) });
const WithdrawnSchema = z.object({ gone: z.array(z.string()), unknown: z.array(z.string()) });

interface ManagerAnnouncerOptions {
  readonly settings: AgentSettings;
  /** Undefined: the managers ask for none. */
  readonly token: string | undefined;
  /** The token as it is now where it is kept: asked for when a manager refuses the one that is known. */
  readonly readToken: () => Promise<string | undefined>;
  readonly log: Logger;
  /** Default: 2 s. */
  readonly patienceMs?: number;
}

interface Site {
  readonly url: string;
  readonly client: Client;
}

/** Announces apps to server managers: to the one that answered last, and to the next ones when that does not. */
export class ManagerAnnouncer implements Announcer {
  readonly #settings: AgentSettings;
  readonly #log: Logger;
  readonly #patienceMs: number;
  readonly #sites: readonly Site[];
  readonly #readToken: ManagerAnnouncerOptions['readToken'];
  #token: string | undefined;
  #at = 0;
  /** Aborted when the calls go to another manager from now on. */
  #passing = new AbortController();
  #intervalMs = ANNOUNCEMENT_BEAT_MS;

  constructor({ settings, token, readToken, log, patienceMs = PATIENCE_MS }: ManagerAnnouncerOptions) {
    this.#settings = settings;
    this.#token = token;
    this.#readToken = readToken;
    this.#log = log;
    this.#patienceMs = patienceMs;
    const send = signedFetch(() => this.#token);
    const actor = `agent ${this.#agent}`.slice(0, 64);
    this.#sites = settings.managers.map((url) => ({ url, client: createClient({ baseUrl: url, actor, fetch: send }) }));
  }

  get intervalMs(): number {
    return this.#intervalMs;
  }

  get place(): string {
    return this.#sites[this.#at]?.url ?? '';
  }

  async announce(settings: AppSettings): Promise<Announced> {
    const { healthCheck: _, ...app } = settings;
    const body = { agent: this.#agent, node: this.#settings.node, apps: [app] };
    const call = (client: Client) => client.agents.register(body, { signal: AbortSignal.timeout(this.#patienceMs) });
    const { instances, intervalMs } = await this.#ask(call, RegisteredSchema).catch((error: unknown) => {
      throw isAboutApp(error) ? new AnnouncementRefused(error.detail, { cause: error }) : error;
    });
    this.#keepPace(intervalMs);
    return instances[0];
  }

  async beat(signs: readonly SignOfLife[]): Promise<Reply> {
    const instances = signs.map(({ id, isUp, cause }) => {
      return isUp ? ({ id, state: 'up' } as const) : ({ id, state: 'down', cause: cause.slice(0, 500) } as const);
    });
    const body = { agent: this.#agent, instances };
    const call = (client: Client) => client.agents.heartbeat(body, { signal: AbortSignal.timeout(this.#patienceMs) });
    const { intervalMs, ...reply } = await this.#ask(call, ReplySchema);
    this.#keepPace(intervalMs);
    return reply;
  }

  /** However long that takes, unless signs of life tell meanwhile that the manager does not answer any more. */
  async withdraw(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const body = { agent: this.#agent, instances: [...ids] };
    const call = (client: Client) => {
      return client.agents.deregister(body, { signal: AbortSignal.any([signal, this.#passing.signal]) });
    };
    await this.#ask(call, WithdrawnSchema, signal);
  }

  async close(): Promise<void> {}

  get #agent(): string {
    return this.#settings.id ?? this.#settings.node;
  }

  /** Asks one manager after the other, until one answers as managers do. @throws what the last one said, or why it said nothing. */
  async #ask<T>(call: (client: Client) => Promise<unknown>, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    const faults: string[] = [];
    for (let tried = 0; tried < this.#sites.length; tried += 1) {
      const at = this.#at;
      const site = this.#sites[at];
      if (site === undefined) break;
      try {
        return schema.parse(await this.#authorised(() => call(site.client)));
      } catch (error) {
        signal?.throwIfAborted();
        if (isAboutApp(error)) throw error;
        const reason = reasonOf(error, site.url);
        faults.push(reason);
        this.#passOver(at, reason);
        this.#log.debug({ manager: site.url, err: error }, 'a manager does not answer as it should');
      }
    }
    throw new Error(faults.join('; '));
  }

  /** Once more when the token was refused, and is another one by now. */
  async #authorised(call: () => Promise<unknown>): Promise<unknown> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof HeimdallApiError) || error.code !== ('UNAUTHORIZED' satisfies ErrorCode)) throw error;
      const refused = this.#token;
      this.#token = await this.#readToken().catch((fault: unknown) => {
        this.#log.warn({ reason: messageOf(fault) }, 'the token cannot be read again');
        return refused;
      });
      if (this.#token === refused) throw error;
      return call();
    }
  }

  /** Calls that failed at the same time pass over one manager only. */
  #passOver(at: number, reason: string): void {
    if (at !== this.#at) return;
    this.#at = (at + 1) % this.#sites.length;
    const passing = this.#passing;
    this.#passing = new AbortController();
    passing.abort(new Error(reason));
  }

  #keepPace(intervalMs: number): void {
    this.#intervalMs = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, intervalMs));
  }
}

/** What other managers would say as well; one that does not know us, or cannot reach its registry, tells nothing of the app. */
function isAboutApp(error: unknown): error is HeimdallApiError {
  return error instanceof HeimdallApiError && OF_APP.has(error.code);
}

function reasonOf(error: unknown, url: string): string {
  if (error instanceof HeimdallApiError) return `${url} refuses: ${error.detail}`;
  if (error instanceof z.ZodError) return `what answers on ${url} is no server manager of heimdall`;
  if (error instanceof DOMException && error.name === 'TimeoutError') return `${url} does not answer in time`;
  return messageOf(error);
}
