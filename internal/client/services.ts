import type { DeploymentView } from '../model/deployment-view.ts';
import type { ByBody, DeployBody, RollbackBody, ServicePatchBody } from '../model/request-bodies.ts';
import type { ServiceDetailsView, ServiceView } from '../model/service-view.ts';
import { type Connection, segment } from './connection.ts';
import type { CallOptions, ChangeOptions, Loose, Tagged } from './options.ts';

export interface DeployOptions extends ChangeOptions {
  /** Resolve when it has succeeded, fail when it went back; default: resolve when it has begun. */
  readonly wait?: boolean | undefined;
  /** While another one is under way, wait for its end rather than fail. */
  readonly queue?: boolean | undefined;
}

/** `/services/*`. */
export class ServicesClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  list(options?: CallOptions): Promise<ServiceView[]> {
    return this.#connection.json({ method: 'GET', path: '/services', options });
  }

  get(name: string, options?: CallOptions): Promise<ServiceDetailsView> {
    return this.#connection.json({ method: 'GET', path: pathOf(name), options });
  }

  /** With what to give to `ifMatch`, so that a change fails when somebody else was faster. */
  getTagged(name: string, options?: CallOptions): Promise<Tagged<ServiceDetailsView>> {
    return this.#connection.tagged({ method: 'GET', path: pathOf(name), options });
  }

  /** What is absent stays as it is; null: as it is configured. */
  patch(name: string, body: Loose<ServicePatchBody>, options?: ChangeOptions): Promise<ServiceDetailsView> {
    return this.#connection.json({ method: 'PATCH', path: pathOf(name), body, options });
  }

  scale(name: string, instances: number, options?: ChangeOptions): Promise<ServiceDetailsView> {
    return this.#connection.json({ method: 'POST', path: `${pathOf(name)}/scale`, body: { instances }, options });
  }

  pause(name: string, options?: ChangeOptions): Promise<ServiceDetailsView> {
    return this.#connection.json({ method: 'POST', path: `${pathOf(name)}/pause`, options });
  }

  resume(name: string, options?: ChangeOptions): Promise<ServiceDetailsView> {
    return this.#connection.json({ method: 'POST', path: `${pathOf(name)}/resume`, options });
  }

  deploy(name: string, body: Loose<DeployBody> = {}, options?: DeployOptions): Promise<DeploymentView> {
    return this.#change(name, 'deploy', body, options);
  }

  /** The same release in new processes. */
  restart(name: string, body: Loose<ByBody> = {}, options?: DeployOptions): Promise<DeploymentView> {
    return this.#change(name, 'restart', body, options);
  }

  rollback(name: string, body: Loose<RollbackBody> = {}, options?: DeployOptions): Promise<DeploymentView> {
    return this.#change(name, 'rollback', body, options);
  }

  #change(
    name: string,
    verb: string,
    body: object,
    { wait, queue, ...options }: DeployOptions = {},
  ): Promise<DeploymentView> {
    const path = `${pathOf(name)}/${verb}`;
    return this.#connection.json({ method: 'POST', path, query: { wait, queue }, body, options });
  }
}

function pathOf(name: string): string {
  return `/services/${segment(name)}`;
}
