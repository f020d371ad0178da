import type { Socket } from 'node:net';
import { authority } from '../../model/address.ts';
import { plainAddress, type TrustedProxies } from '../client-address.ts';
import { FIELD } from './field-kinds.ts';
import type { HeadParser } from './head-parser.ts';
import type { ProxiedConnection } from './proxy-protocol.ts';
import { Peer } from './request-writer.ts';

/** Who is at the other end of a client's connection, and whether it is trusted under the settings of now. */
export class ClientPeer {
  /** What a proxy in front of us said of the connection, in place of what the connection itself tells. */
  proxied: ProxiedConnection | null = null;
  readonly #socket: Socket;
  readonly #tools: { readonly proxies: TrustedProxies };
  #peer: Peer | null = null;
  /** By whom the peer was found trusted or not. */
  #proxies: TrustedProxies | null = null;

  /** @param tools - whose `proxies` may change at any time. */
  constructor(socket: Socket, tools: { readonly proxies: TrustedProxies }) {
    this.#socket = socket;
    this.#tools = tools;
  }

  known(): Peer {
    const { proxies } = this.#tools;
    if (this.#peer === null || this.#proxies !== proxies) {
      const { remoteAddress = '', localAddress = '', localPort = 0 } = this.#socket;
      const address = this.proxied?.source.address ?? plainAddress(remoteAddress);
      const local = this.proxied?.destination ?? { address: plainAddress(localAddress), port: localPort };
      this.#peer = new Peer(address, authority(local.address, local.port), local.port, proxies.trusts(address));
      this.#proxies = proxies;
    }
    return this.#peer;
  }

  /** Of the client that a request comes from: the peer, or whom a trusted peer speaks for. */
  addressFor(request: HeadParser): string {
    const { address, trusted } = this.known();
    return trusted ? this.#tools.proxies.clientAddress(address, request.all(FIELD.forwardedFor)) : address;
  }

  /** Whether a request came to a trusted peer over an encrypted connection. */
  isSecure(request: HeadParser): boolean {
    return this.known().trusted && /^https\b/i.test(request.first(FIELD.forwardedProto) ?? '');
  }
}
