import type { Request, RequestHandler } from 'express';
import { HeimdallError } from '../model/errors.ts';
import { NodeNameSchema } from '../model/node.ts';
import type { Peer } from '../server/nodes.ts';
import { refuseTooLarge } from './body.ts';
import { carriedBy } from './carried.ts';
import type { Carrier } from './carrier.ts';
import type { Endpoint } from './endpoint.ts';
import type { Manager } from './manager.ts';

/** Has the manager of another node answer what is about it, or about an instance that it has; to stand before the endpoint's own handler. */
export function forwarding(
  { method, description }: Endpoint,
  nodes: Manager['nodes'],
  carrier: Carrier,
): RequestHandler {
  const isLook = method === 'GET';
  return async (request, response, next) => {
    const { wanted, isRepeated } = wantedNode(request);
    const isOdd = isRepeated || (wanted !== null && !NodeNameSchema.safeParse(wanted).success);
    if (isOdd) return next(); // whose schema says what is wrong
    const peer = wanted === null ? await keeper(request) : await named(wanted, request);
    if (peer === null) return next();
    refuseTooLarge(request);
    await carrier.carry(peer, request, response);
  };

  async function named(node: string, request: Request): Promise<Peer | null> {
    const by = carriedBy(request);
    const peer = await nodes.peer(node);
    if (peer === null || by === null) return peer;
    const message =
      `node ${by} has carried a call for node ${node} to node ${nodes.self}: ` +
      `manager.url of ${node}, or of ${nodes.self}, leads to the wrong manager`;
    throw new HeimdallError('NODE_LOOP', message, { node, carriedBy: by, arrivedAt: nodes.self });
  }

  async function keeper(request: Request): Promise<Peer | null> {
    const instance = description.onNode === 'keeper' ? instanceIn(request) : null;
    if (instance === null || carriedBy(request) !== null) return null;
    const node = await nodes.keeperOf(instance);
    if (node === null) return null;
    return nodes.peer(node).catch((error: unknown) => {
      if (isLook && !request.path.endsWith('/logs')) return null; // what is known of it, the registry knows
      throw error;
    });
  }
}

function wantedNode(request: Request): { readonly wanted: string | null; readonly isRepeated: boolean } {
  const [wanted = null, ...more] = parameters(request).getAll('node');
  return { wanted, isRepeated: more.length > 0 };
}

/** Its id or port. */
function instanceIn(request: Request): string | null {
  const { id } = request.params;
  if (typeof id === 'string') return id;
  const query = parameters(request);
  return query.get('id') ?? query.get('port');
}

function parameters(request: Request): URLSearchParams {
  return new URLSearchParams(/\?(.*)/.exec(request.url)?.[1]);
}
