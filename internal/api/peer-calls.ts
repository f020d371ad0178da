import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Request } from 'express';
import { request as requestOverHttp } from '../../pkg/sockets/http.ts';
import { HeimdallError } from '../model/errors.ts';
import type { Nodes, Peer } from '../server/nodes.ts';
import { addressOf } from './caller.ts';
import { CARRIED_BY, CARRIED_FOR } from './carried.ts';
import { boundConnection, endWithManager, peerFault } from './peer-connection.ts';
import { isErrorCode } from './problem.ts';

export interface PeerCall {
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  /** From the root, with the query. */
  readonly path: string;
  readonly body?: object;
}

/** Of the request that it is for: who asks. */
const PASSED_ON = ['authorization', 'heimdall-actor', 'user-agent', 'x-request-id'];

/** Calls to the managers of other nodes that are part of what one request asks for. */
export class PeerCalls {
  readonly #self: string;
  readonly #nodes: Pick<Nodes, 'peer'>;

  /** @param self - the name of this node. */
  constructor(self: string, nodes: Pick<Nodes, 'peer'>) {
    this.#self = self;
    this.#nodes = nodes;
  }

  /**
   * The answer's JSON, however long that takes.
   * @param request - that it is for.
   * @throws {HeimdallError} what the other manager says is wrong, in its words; NODE_AWAY; NODE_FAILED.
   */
  async json(peer: Peer, call: PeerCall, request: Request): Promise<unknown> {
    const { status, body } = await this.#send(peer, call, request);
    const answer = parsed(body);
    if (status < 300) return answer;
    throw problemOf(peer, status, answer);
  }

  async #send(
    peer: Peer,
    { method, path, body }: PeerCall,
    request: Request,
  ): Promise<{ status: number; body: string }> {
    const url = new URL(`${peer.url.replace(/\/$/, '')}${path}`);
    const send = url.protocol === 'https:' ? process.getBuiltinModule('node:https').request : requestOverHttp;
    const answered = Promise.withResolvers<IncomingMessage>();
    const call = send(url, { method, headers: this.#headers(request), agent: false });
    let isConnected = false;
    boundConnection(call, () => (isConnected = true));
    endWithManager(call, peer, this.#nodes);
    call.once('response', answered.resolve).on('error', answered.reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
    try {
      const answer = await answered.promise;
      return { status: answer.statusCode ?? 502, body: await text(answer) };
    } catch (error) {
      throw peerFault(peer, error, isConnected);
    }
  }

  #headers(request: Request): Record<string, string> {
    const passedOn = PASSED_ON.flatMap((name) => {
      const value = request.get(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    return {
      ...Object.fromEntries(passedOn),
      accept: 'application/json',
      'content-type': 'application/json',
      [CARRIED_BY]: this.#self,
      [CARRIED_FOR]: addressOf(request),
    };
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null; // somebody on the way has answered
  }
}

function problemOf({ node }: Peer, status: number, answer: unknown): HeimdallError {
  const problem = typeof answer === 'object' && answer !== null ? answer : {};
  const detail = 'detail' in problem ? String(problem.detail) : `status ${status}`;
  const code = 'code' in problem && isErrorCode(problem.code) ? problem.code : 'NODE_FAILED';
  const { logTail } = { logTail: undefined, ...problem };
  const context = { node, ...(logTail === undefined ? {} : { logTail }) };
  return new HeimdallError(code, `node ${node}: ${detail}`, context);
}
