import type { InstanceView } from '../model/instance-view.ts';
import type { Status } from '../model/lifecycle.ts';
import type { LogLine, LogStream } from '../model/log-line.ts';
import type { AddBody } from '../model/request-bodies.ts';
import { type Connection, segment } from './connection.ts';
import type { CallOptions, ChangeOptions, Loose, Tagged } from './options.ts';

/** Instances: `/servers/*`. */
export class ServersClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Starts instances; resolves when they are ready, with `wait: false` as soon as they are being started. */
  async add(
    body: Loose<AddBody> = {},
    { wait, ...options }: ChangeOptions & { readonly wait?: boolean | undefined } = {},
  ): Promise<InstanceView[]> {
    const call = { method: 'POST', path: '/servers/add', query: { wait }, body, options } as const;
    const answer = await this.#connection.json<InstanceView | InstanceView[]>(call);
    return Array.isArray(answer) ? answer : [answer];
  }

  list({
    service,
    status,
    ...options
  }: CallOptions & {
    readonly service?: string | undefined;
    readonly status?: Status | undefined;
  } = {}): Promise<InstanceView[]> {
    return this.#connection.json({ method: 'GET', path: '/servers/list', query: { service, status }, options });
  }

  /** @param instance - its id or port. */
  get(instance: string | number, options?: CallOptions): Promise<InstanceView> {
    return this.#connection.json({ method: 'GET', path: pathOf(instance), options });
  }

  /** With what to give to `ifMatch`, so that a change fails when somebody else was faster. */
  getTagged(instance: string | number, options?: CallOptions): Promise<Tagged<InstanceView>> {
    return this.#connection.tagged({ method: 'GET', path: pathOf(instance), options });
  }

  /**
   * Drains and stops one; resolves when it is gone.
   * @param instance - its id or port. @param options - `force`: its requests are cut off.
   */
  remove(
    instance: string | number,
    { force, ...options }: ChangeOptions & { readonly force?: boolean | undefined } = {},
  ): Promise<InstanceView> {
    const name = /^\d+$/.test(String(instance)) ? { port: instance } : { id: instance };
    return this.#connection.json({ method: 'DELETE', path: '/servers/remove', query: { ...name, force }, options });
  }

  /** @param instance - its id or port. @param weight - null: the one that new instances of its service get. */
  weigh(instance: string | number, weight: number | null, options?: ChangeOptions): Promise<InstanceView> {
    return this.#connection.json({ method: 'PATCH', path: pathOf(instance), body: { weight }, options });
  }

  /**
   * Puts another instance in its place that runs the same; without losing a request.
   * @param instance - its id or port.
   * @param options - `wait: false`: resolve as soon as the new one is being started.
   * @returns the new one.
   */
  restart(
    instance: string | number,
    { wait, ...options }: ChangeOptions & { readonly wait?: boolean | undefined } = {},
  ): Promise<InstanceView> {
    return this.#connection.json({ method: 'POST', path: `${pathOf(instance)}/restart`, query: { wait }, options });
  }

  /** The last lines of each stream. @param instance - its id or port. */
  logs(instance: string | number, { signal, node, ...query }: CallOptions & LogOptions = {}): Promise<LogLine[]> {
    const options = { signal, node };
    return this.#connection.json({ method: 'GET', path: logsOf(instance), query: { ...query }, options });
  }

  /**
   * The last lines, and then every one that is written, until the instance is gone or the manager stops.
   * @throws {HeimdallApiError} {HeimdallConnectionError} from the first step on; also when the stream breaks off.
   */
  async *followLogs(
    instance: string | number,
    { signal, node, ...query }: CallOptions & LogOptions = {},
  ): AsyncGenerator<LogLine, void> {
    const path = logsOf(instance);
    const call = { method: 'GET', path, query: { ...query, follow: true }, options: { signal, node } } as const;
    for await (const { event, data } of this.#connection.events(call)) {
      if (event === 'end') return;
      if (event === 'out' || event === 'err') yield { stream: event, text: data };
    }
  }
}

export interface LogOptions {
  /** Default: both. */
  readonly stream?: LogStream | undefined;
  /** Of each stream; default: 100. */
  readonly lines?: number | undefined;
}

function pathOf(instance: string | number): string {
  return `/servers/${segment(instance)}`;
}

function logsOf(instance: string | number): string {
  return `${pathOf(instance)}/logs`;
}
