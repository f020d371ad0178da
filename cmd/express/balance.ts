import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { z } from 'zod';
import { checkConfig, type LoadedConfig, loadConfig, loadConfigSync } from '../../internal/config/load.ts';
import { ConfigError } from '../../internal/config/problem.ts';
import type { ConfigSchema } from '../../internal/config/schema.ts';
import { nearest } from '../../internal/model/nearest.ts';
import type { RequestRecord } from '../../internal/proxy/engine.ts';
import { requestIdOf } from '../../internal/proxy/fields.ts';
import { isWebSocket } from '../../internal/proxy/middleware/listener.ts';
import { refuseSocket } from '../../internal/proxy/middleware/respond.ts';
import { RequestIds } from '../../internal/proxy/request-ids.ts';
import type { Logger } from '../../pkg/logger/logger.ts';
import { Balancer } from './balancer.ts';

export type { RequestRecord } from '../../internal/proxy/engine.ts';

/** How long running requests may take when the balancer is closed, in milliseconds. */
const CLOSE_MS = 30_000;

/** What a `config.json` holds. */
export type BalanceConfig = z.input<typeof ConfigSchema>;

export interface BalanceOptions {
  /**
   * Whose instances get the requests. The app has routed already: of its `routes` only the `rateLimit` counts of the one that
   * the request would match.
   */
  readonly service: string;
  /**
   * Path of the configuration file, or what would stand in it. Default: `HEIMDALL_CONFIG`, then `./config.json`.
   * A file is followed: a valid change is applied live. An object without a `registry` section uses none: its `servers`
   * are all there is, and nothing is written to disk.
   */
  readonly config?: string | BalanceConfig | undefined;
  /** The upstream gets the path with the mount path, as the client sent it; default: without, as `req.url` says. */
  readonly keepMountPath?: boolean | undefined;
  /** A pino logger. Default: one of its own on standard output, at the configuration's `log.level`. */
  readonly log?: Logger | undefined;
  /** Called for every finished request, instead of a line in the access log. */
  readonly onRequest?: ((record: RequestRecord) => void) | undefined;
}

/** An Express middleware that answers every request it gets; `next` is called only with an error. */
export interface Balance {
  (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void;
  /** For WebSockets: `server.on('upgrade', balance.upgrade)`. `request.url` goes upstream as it is. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /**
   * For `createServer({ shouldUpgradeCallback: balance.shouldUpgrade }, app)`: with a listener for `upgrade` Node takes
   * any request with an `Upgrade` field off HTTP, also one that asks for h2c and would be content with an answer.
   */
  readonly shouldUpgrade: (request: IncomingMessage) => boolean;
  /** Resolves when instances are known and have been probed. Requests that come earlier wait for it. */
  readonly ready: () => Promise<void>;
  /**
   * Lets running requests and WebSockets finish, and breaks off what is left after the deadline (30 s by default). Then
   * leaves the registry, so that no drain waits for this app any more. Stop the server from accepting first.
   */
  readonly close: (deadlineMs?: number) => Promise<void>;
}

/**
 * heimdall's balancing as a middleware: `app.use(balance({ service: 'web' }))`. Each one is a load balancer of its own: it
 * watches the registry, probes the instances, retries, and takes part in drains. To be mounted before body parsers.
 * What a server of ours checks on its sockets is up to the one that embeds: `headersTimeout`, `maxHeaderSize`,
 * `keepAliveTimeout`, the answers to what its parser refuses.
 * @throws {ConfigError} at once, when the configuration is not valid or knows no such service.
 */
export function balance(options: BalanceOptions): Balance {
  const { service, config, keepMountPath = false, log, onRequest } = options;
  const source = { env: process.env, cwd: process.cwd() };
  const isInline = typeof config === 'object';
  const file = { ...source, path: isInline ? undefined : config };
  const loaded = isInline ? checkConfig(config, source) : loadConfigSync(file);
  const usesRegistry = !isInline || config.registry !== undefined;
  checkService(loaded, service, usesRegistry);
  const reload = () => loadConfig(file);
  const started = Balancer.start({ service, loaded, reload, usesRegistry, log, onRequest });
  started.catch(() => {}); // told by `ready`, and to every request
  let closed: Promise<void> | null = null;

  const handle: (...parameters: Parameters<Balance>) => void = (request, response, next) => {
    if (keepMountPath) request.url = originalUrlOf(request);
    started.then((balancer) => balancer.request(request, response)).catch(next);
  };
  return Object.assign(handle, {
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
      if (socket instanceof Socket) void upgrade(started, request, socket, head);
      else socket.destroy();
    },
    shouldUpgrade: isWebSocket,
    async ready(): Promise<void> {
      await started;
    },
    close(deadlineMs = CLOSE_MS): Promise<void> {
      closed ??= started.then((balancer) => balancer.close(deadlineMs));
      return closed;
    },
  });
}

async function upgrade(started: Promise<Balancer>, request: IncomingMessage, socket: Socket, head: Buffer) {
  socket.on('error', () => socket.destroy()); // nobody else listens until we have started
  try {
    (await started).upgrade(request, socket, head);
  } catch {
    refuseSocket(socket, 503, requestIdOf(request.rawHeaders, new RequestIds()), request.headers.accept);
  }
}

/** What the client sent, where Express has cut off the mount path. */
function originalUrlOf(request: IncomingMessage): string | undefined {
  return 'originalUrl' in request && typeof request.originalUrl === 'string' ? request.originalUrl : request.url;
}

/** @throws {ConfigError} */
function checkService({ config, path }: LoadedConfig, name: string, usesRegistry: boolean): void {
  const index = config.services.findIndex((service) => service.name === name);
  const refusal = (at: string, message: string) => new ConfigError([{ path: at, message, source: 'file' }], path);
  if (index === -1) {
    const names = config.services.map((service) => service.name);
    const meant = nearest(name, names);
    const hint = meant === undefined ? `there is ${names.join(', ') || 'none'}` : `did you mean "${meant}"?`;
    throw refusal('services', `no service is called "${name}"; ${hint}`);
  }
  if (usesRegistry || (config.services[index]?.servers.length ?? 0) > 0) return;
  throw refusal(`services[${index}].servers`, 'are needed where no "registry" section tells of running instances');
}
