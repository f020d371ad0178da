import type { DeploymentDetailsView, DeploymentStepView, DeploymentView } from '../model/deployment-view.ts';
import { type Connection, segment } from './connection.ts';
import type { CallOptions } from './options.ts';

export type DeploymentMessage =
  | { readonly event: 'step'; readonly data: DeploymentStepView }
  /** It is over; the last message. */
  | { readonly event: 'end'; readonly data: DeploymentView };

/** `/deployments/*`. */
export class DeploymentsClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Newest first. */
  list({
    limit,
    service,
    ...options
  }: CallOptions & {
    readonly limit?: number | undefined;
    readonly service?: string | undefined;
  } = {}): Promise<DeploymentView[]> {
    return this.#connection.json({ method: 'GET', path: '/deployments', query: { limit, service }, options });
  }

  get(id: number, options?: CallOptions): Promise<DeploymentDetailsView> {
    return this.#connection.json({ method: 'GET', path: pathOf(id), options });
  }

  /**
   * Its steps so far, those that come, and its end.
   * @throws {HeimdallApiError} {HeimdallConnectionError} also when the stream breaks off before the end: follow it again.
   */
  async *follow(id: number, options?: CallOptions): AsyncGenerator<DeploymentMessage, void> {
    const call = { method: 'GET', path: pathOf(id), query: { follow: true }, options } as const;
    for await (const { event, data } of this.#connection.events(call)) {
      if (event === 'step') yield { event, data: JSON.parse(data) };
      if (event !== 'end') continue;
      yield { event, data: JSON.parse(data) };
      return;
    }
  }
}

function pathOf(id: number): string {
  return `/deployments/${segment(id)}`;
}
