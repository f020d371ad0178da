import type { Request } from 'express';
import type { z } from 'zod';
import { HeimdallError, messageOf } from '../model/errors.ts';
import type { ServicePatchBodySchema } from '../model/request-bodies.ts';
import type { ServiceDetails } from '../server/service-views.ts';
import { carriedBy } from './carried.ts';
import type { Deed } from './deed.ts';
import { differencesOf } from './differences.ts';
import type { Manager } from './manager.ts';
import { PeerCalls } from './peer-calls.ts';

type Patch = z.output<typeof ServicePatchBodySchema>;

interface Change {
  readonly name: string;
  readonly patch: Patch;
  /** The node that the client has named. */
  readonly node: string | undefined;
  readonly request: Request;
  readonly deed: Deed;
}

/** What each node is to have. */
type Shares = ReadonlyMap<string, { readonly instances?: number; readonly weight?: number | null }>;

/**
 * Changes of a service that each node's manager has to carry out for its own instances: how many there are, and their
 * weight. The rest holds on all nodes as soon as one has written it.
 */
export class SpreadChange {
  readonly #manager: Manager;

  constructor(manager: Manager) {
    this.#manager = manager;
  }

  /** @throws {HeimdallError} as `ServiceControl.patch`; NODE_FAILED naming the nodes where nothing has changed. */
  async patch({ name, patch, node, request, deed }: Change): Promise<ServiceDetails> {
    const { services, nodes } = this.#manager;
    const isForAll = node === undefined && carriedBy(request) === null;
    const shares: Shares = isForAll ? await this.#shares(name, patch) : new Map();
    if (nodes.self === null || shares.size === 0) return services.patch(name, patch, deed);
    const before = (await services.get(name)).desired;
    await services.patch(name, { ...patch, ...shares.get(nodes.self) }, deed);
    const others = [...shares].filter(([each]) => each !== nodes.self);
    const calls = new PeerCalls(nodes.self, nodes);
    const results = await Promise.allSettled(
      others.map(async ([each, body]) => {
        const peer = await nodes.peer(each);
        const path = `/services/${encodeURIComponent(name)}?node=${each}`;
        if (peer !== null) await calls.json(peer, { method: 'PATCH', path, body }, request);
      }),
    );
    const { instances } = patch;
    if (instances !== undefined && instances !== before) {
      const words = `scaled ${name} from ${before} to ${instances}, on ${shares.size} nodes`;
      deed.did(words, deed.subject, differencesOf({ instances: before }, { instances }));
    }
    assertAll(results, others, name);
    return services.get(name);
  }

  async #shares(name: string, { instances, weight }: Patch): Promise<Shares> {
    if (instances === undefined && weight === undefined) return new Map();
    const { nodes } = this.#manager;
    const weighed = weight === undefined ? {} : { weight };
    if (instances === undefined) {
      return new Map((await nodes.capable(name)).map((node) => [node, weighed]));
    }
    return new Map(
      [...(await nodes.level(name, instances))].map(([node, share]) => [node, { instances: share, ...weighed }]),
    );
  }
}

function assertAll(
  results: readonly PromiseSettledResult<void>[],
  others: readonly (readonly [node: string, share: unknown])[],
  service: string,
): void {
  const faults = results.flatMap((result, at) => {
    const [node = ''] = others[at] ?? [];
    return result.status === 'fulfilled' ? [] : [{ node, reason: messageOf(result.reason) }];
  });
  if (faults.length === 0) return;
  const listed = faults.map(({ node, reason }) => `${node} (${reason})`).join('; ');
  const message = `${service} was changed, but not on ${listed}; ask again when that is mended`;
  throw new HeimdallError('NODE_FAILED', message, { nodes: faults.map(({ node }) => node) });
}
