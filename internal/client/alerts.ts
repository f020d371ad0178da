import type { AlertView, ChannelView, RuleView, SilenceView, TestResultView } from '../model/alert-view.ts';
import type { RemarkBody } from '../model/request-bodies.ts';
import { type Connection, segment } from './connection.ts';
import type { CallOptions, ChangeOptions, Loose } from './options.ts';

export interface AlertQuery {
  readonly limit?: number | undefined;
  readonly state?: AlertView['state'] | undefined;
  readonly service?: string | undefined;
}

/** Either `for`, such as `2h`, or `until`, a time in ISO 8601 with its zone. */
export interface SilenceRequest extends Loose<RemarkBody> {
  /** At least one of them; in a key `*` stands for any characters. */
  readonly match: {
    readonly key?: string | undefined;
    readonly service?: string | undefined;
    readonly instance?: string | undefined;
    readonly node?: string | undefined;
    readonly severity?: AlertView['severity'] | undefined;
  };
  readonly for?: string | undefined;
  readonly until?: string | undefined;
}

export interface ChannelRequest {
  /** Takes the place of the channel of this name, if there is one. */
  readonly name: string;
  /** As under `alerts.webhooks` in the configuration. */
  readonly webhook: { readonly url: string } & Readonly<Record<string, unknown>>;
  readonly by?: string | undefined;
}

/** `/alerts/*`. */
export class AlertsClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Newest first. */
  list({ limit, state, service, ...options }: CallOptions & AlertQuery = {}): Promise<AlertView[]> {
    return this.#connection.json({ method: 'GET', path: '/alerts', query: { limit, state, service }, options });
  }

  /** @param alert - the id or the key of an active one. */
  ack(alert: string, body: Loose<RemarkBody> = {}, options?: ChangeOptions): Promise<AlertView> {
    return this.#connection.json({ method: 'POST', path: `/alerts/${segment(alert)}/ack`, body, options });
  }

  /** Those in force. */
  silences(options?: CallOptions): Promise<SilenceView[]> {
    return this.#connection.json({ method: 'GET', path: '/alerts/silences', options });
  }

  silence(body: SilenceRequest, options?: ChangeOptions): Promise<SilenceView> {
    return this.#connection.json({ method: 'POST', path: '/alerts/silences', body, options });
  }

  endSilence(id: number, options?: ChangeOptions): Promise<SilenceView> {
    return this.#connection.json({ method: 'DELETE', path: `/alerts/silences/${segment(id)}`, options });
  }

  /** Those that came through the API. */
  channels(options?: CallOptions): Promise<ChannelView[]> {
    return this.#connection.json({ method: 'GET', path: '/alerts/channels', options });
  }

  addChannel(body: ChannelRequest, options?: ChangeOptions): Promise<ChannelView> {
    return this.#connection.json({ method: 'POST', path: '/alerts/channels', body, options });
  }

  removeChannel(name: string, options?: ChangeOptions): Promise<ChannelView> {
    return this.#connection.json({ method: 'DELETE', path: `/alerts/channels/${segment(name)}`, options });
  }

  /** Those that the manager watches. */
  rules(options?: CallOptions): Promise<RuleView[]> {
    return this.#connection.json({ method: 'GET', path: '/alerts/rules', options });
  }

  /** A trial alert to every channel; one result for each. */
  test(options?: ChangeOptions): Promise<TestResultView[]> {
    return this.#connection.json({ method: 'POST', path: '/alerts/test', options });
  }
}
