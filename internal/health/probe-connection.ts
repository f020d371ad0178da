import net from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { HealthCheck } from '../model/health-check.ts';
import { closing, type ProbeTarget, requestText } from './probe-request.ts';

/** What sockets read into, one after the other: nothing of it is used once the callback has returned. */
const SHARED_BUFFER = Buffer.allocUnsafeSlow(16 * 1024);

/** Takes long to load, and most instances are probed without. */
const tls = () => process.getBuiltinModule('node:tls');

/** Hears what happens on a connection. */
export interface ConnectionUser {
  /** With TLS: the certificate is accepted, too. */
  connected(): void;
  /** Latin1, one character per octet. */
  received(text: string): void;
  /** Nothing comes any more. @param error - null when the other side has closed the connection in order. */
  ended(error: Error | null): void;
}

/** A connection to an instance for probes, one after the other. While nobody uses it, whatever comes ends it. */
export class ProbeConnection {
  readonly #socket: net.Socket;
  readonly #request: string;
  #user: ConnectionUser | null;
  #isOpen = true;
  #holdsProcess = true;
  #requests = 0;

  /** @throws when the request cannot be sent, see `requestText`. */
  constructor(target: ProbeTarget, check: HealthCheck, user: ConnectionUser) {
    this.#user = user;
    this.#request = check.type === 'tcp' ? '' : requestText(target, check);
    const onread = { buffer: SHARED_BUFFER, callback: (length: number) => this.#read(length) };
    const options = { host: target.host, port: target.port, onread };
    const isSecure = check.type === 'https';
    this.#socket = isSecure ? tls().connect({ ...options, ...tlsOptions(target, check) }) : net.connect(options);
    this.#socket.on(isSecure ? 'secureConnect' : 'connect', () => this.#user?.connected());
    this.#socket.on('end', () => this.#end(null));
    this.#socket.on('error', (error) => this.#end(error));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** TCP; what TLS makes of it comes later. */
  get isConnecting(): boolean {
    return this.#socket.connecting;
  }

  /** Requests that were sent over it. */
  get requests(): number {
    return this.#requests;
  }

  /** Sends the request of a probe. @param isLast - no other follows on this connection. */
  ask(isLast: boolean): void {
    this.#requests += 1;
    this.#socket.write(isLast ? closing(this.#request) : this.#request, 'latin1');
  }

  /** Lies idle. From now on it holds no process: a probe that uses it has a timer, which does. */
  release(): void {
    this.#user = null;
    if (this.#holdsProcess) this.#socket.unref();
    this.#holdsProcess = false;
  }

  use(user: ConnectionUser): void {
    this.#user = user;
  }

  /** Its user hears no more of it. */
  close(): void {
    this.#user = null;
    this.#isOpen = false;
    this.#socket.destroy();
  }

  #read(length: number): boolean {
    if (this.#user) this.#user.received(SHARED_BUFFER.toString('latin1', 0, length));
    else this.close(); // what nobody asked for would be taken for the next answer
    return this.#isOpen;
  }

  #end(error: Error | null): void {
    const user = this.#user;
    this.close();
    user?.ended(error);
  }
}

/** The name in the certificate is that of the application where one is configured, else that of the instance. */
function tlsOptions(target: ProbeTarget, { host, verifyCertificate }: HealthCheck): ConnectionOptions {
  const name = host === undefined ? target.host : withoutPort(host);
  return {
    ...(net.isIP(name) === 0 ? { servername: name } : {}), // no address is a server name (RFC 6066, 3)
    rejectUnauthorized: verifyCertificate,
    checkServerIdentity: (_host, certificate) => tls().checkServerIdentity(name, certificate),
    ALPNProtocols: ['http/1.1'],
  };
}

/** The host of a Host field, without brackets. */
export function withoutPort(host: string): string {
  return /^\[(.*)\](?::\d+)?$/.exec(host)?.[1] ?? host.replace(/:\d+$/, '');
}
