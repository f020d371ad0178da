import { once } from 'node:events';
import type { Server, ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import express from 'express';
import { createServer } from '../../pkg/sockets/http.ts';
import { type Balance, balance, type BalanceConfig, type BalanceOptions } from '../../cmd/express/balance.ts';
import { createLogger } from '../../pkg/logger/logger.ts';
import { sampleBackend } from './proxy-site.ts';

export const SILENT = createLogger({ name: 'test', level: 'silent' });

type ServiceInput = NonNullable<BalanceConfig['services']>[number];

/** A service over the given ports of this machine, checked often. */
export function serviceOver(name: string, ports: readonly number[], changes: Partial<ServiceInput> = {}): ServiceInput {
  const servers = ports.map((port) => `127.0.0.1:${port}`);
  return { name, servers, healthCheck: { type: 'tcp', interval: '50ms' }, routes: [{ path: `/${name}` }], ...changes };
}

/** Somebody's Express app on a free port. What was made through it is closed with it. */
export class ExpressSite implements AsyncDisposable {
  readonly app: Express = express().set('env', 'production'); // prints no stacks
  readonly server: Server;
  readonly #backends: { stop(): Promise<void> }[] = [];
  readonly #balances: Balance[] = [];

  constructor(options: ServerOptions = {}) {
    this.server = createServer(options, this.app);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts sample backends, and returns their ports. */
  async backends(...names: readonly string[]): Promise<number[]> {
    const backends = await Promise.all(names.map((name) => sampleBackend(name)));
    this.#backends.push(...backends);
    return backends.map(({ url }) => Number(new URL(url).port));
  }

  own<T extends { stop(): Promise<void> }>(thing: T): T {
    this.#backends.push(thing);
    return thing;
  }

  balance(options: BalanceOptions): Balance {
    const made = balance({ log: SILENT, ...options });
    this.#balances.push(made);
    return made;
  }

  /** The middleware for one service `web` over the given ports. */
  over(
    ports: readonly number[],
    config: BalanceConfig = {},
    options: Omit<BalanceOptions, 'service' | 'config'> = {},
    changes: Partial<ServiceInput> = {},
  ): Balance {
    return this.balance({
      service: 'web',
      config: { services: [serviceOver('web', ports, changes)], ...config },
      ...options,
    });
  }

  /** To be called when everything is mounted. */
  async listen(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    await Promise.all(this.#balances.map((made) => made.close(0)));
    this.server.closeAllConnections();
    await Promise.all(this.#backends.map((backend) => backend.stop()));
  }
}
