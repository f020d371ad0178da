import type { Request } from 'express';
import { z } from 'zod';
import { HeimdallError } from '../model/errors.ts';
import { viewOf } from '../model/instance.ts';
import { type InstanceView, InstanceViewSchema } from '../model/instance-view.ts';
import type { AddBodySchema } from '../model/request-bodies.ts';
import { carriedBy } from './carried.ts';
import type { Manager } from './manager.ts';
import { PeerCalls } from './peer-calls.ts';

type AddBody = z.output<typeof AddBodySchema>;

interface Terms {
  readonly wait: boolean;
  /** That the client has named; then they all go there. */
  readonly node?: string;
}

/** What one node was asked for. */
interface Part {
  readonly node: string;
  readonly count: number;
}

const AnswerSchema = z.array(InstanceViewSchema);

/** Adds instances where there is most room for them: here, or on other nodes. */
export class SpreadAdd {
  readonly #manager: Manager;

  constructor(manager: Manager) {
    this.#manager = manager;
  }

  /**
   * @param request - that asks for it.
   * @throws {HeimdallError} as `ServerManager.add`; NODE_AWAY, NODE_UNREACHABLE, NODE_FAILED. Then none of them remains, as far as can be reached.
   */
  async add(body: AddBody, { wait, node }: Terms, request: Request): Promise<InstanceView[]> {
    const { nodes } = this.#manager;
    const count = body.count ?? 1;
    const service = body.service ?? nodes.usualService;
    const isDecided = node !== undefined || carriedBy(request) !== null;
    const plan = isDecided ? new Map<string, number>() : await nodes.place(service, count);
    const parts = [...plan].map(([name, share]): Part => ({ node: name, count: share }));
    const [only, other] = parts;
    if (nodes.self === null || only === undefined || (other === undefined && only.node === nodes.self)) {
      return this.#addHere(body, count, wait);
    }
    return this.#addThere(service === undefined ? body : { ...body, service }, parts, {
      wait,
      calls: new PeerCalls(nodes.self, nodes),
      request,
    });
  }

  async #addHere(body: AddBody, count: number, wait: boolean): Promise<InstanceView[]> {
    const instances = await this.#manager.add({ ...body, count, wait });
    return instances.map((instance) => viewOf(instance, 'unknown'));
  }

  async #addThere(body: AddBody, parts: readonly Part[], onward: Onward): Promise<InstanceView[]> {
    const results = await Promise.allSettled(parts.map((part) => this.#addPart(body, part, onward)));
    const added = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    const failure = results.find((result) => result.status === 'rejected');
    if (failure === undefined) return added;
    await Promise.allSettled(added.map((instance) => this.#takeBack(instance, onward)));
    throw failedOf(failure.reason, parts);
  }

  async #addPart(body: AddBody, { node, count }: Part, { wait, calls, request }: Onward): Promise<InstanceView[]> {
    const peer = await this.#manager.nodes.peer(node);
    if (peer === null) return this.#addHere(body, count, wait);
    const path = `/servers/add?node=${node}&wait=${wait}`;
    return AnswerSchema.parse(await calls.json(peer, { method: 'POST', path, body: { ...body, count } }, request));
  }

  async #takeBack({ id, node }: InstanceView, { calls, request }: Onward): Promise<void> {
    const peer = node === null ? null : await this.#manager.nodes.peer(node);
    if (peer === null) await this.#manager.remove(id, { force: false });
    else await calls.json(peer, { method: 'DELETE', path: `/servers/remove?id=${id}&node=${peer.node}` }, request);
  }
}

interface Onward {
  readonly wait: boolean;
  readonly calls: PeerCalls;
  readonly request: Request;
}

function failedOf(error: unknown, parts: readonly Part[]): unknown {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  if (parts.length === 1 || !(error instanceof HeimdallError)) return error;
  const message = `none of ${count} instances on ${parts.length} nodes was added: ${error.message}`;
  return new HeimdallError(error.code, message, error.context, { cause: error });
}
