import type {
  DeregisterBody,
  Deregistration,
  HeartbeatAnswer,
  HeartbeatBody,
  RegisterBody,
  Registration,
} from '../model/agent-bodies.ts';
import type { Connection } from './connection.ts';
import type { CallOptions, ChangeOptions } from './options.ts';

/** What agents ask for: instances that run elsewhere are announced. */
export class AgentsClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Puts apps into rotation, as long as heartbeats come. */
  register(body: RegisterBody, options?: ChangeOptions): Promise<Registration> {
    return this.#connection.json({ method: 'POST', path: '/servers/register', body, options });
  }

  heartbeat(body: HeartbeatBody, options?: CallOptions): Promise<HeartbeatAnswer> {
    return this.#connection.json({ method: 'POST', path: '/servers/heartbeat', body, options });
  }

  /** Drains instances; resolves when no request is on its way to them. @param options - `force`: requests are not waited for. */
  deregister(
    body: DeregisterBody,
    { force, ...options }: ChangeOptions & { readonly force?: boolean | undefined } = {},
  ): Promise<Deregistration> {
    return this.#connection.json({ method: 'POST', path: '/servers/deregister', query: { force }, body, options });
  }
}
