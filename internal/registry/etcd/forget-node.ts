import { HeimdallError } from '../../model/errors.ts';
import type { ForgottenNode } from '../../model/node.ts';
import { nodeAlive, nodeNotFound } from '../unknown-node.ts';
import type { Commits, Plan } from './commits.ts';
import { FORM } from './forms.ts';
import { keptInstances } from './instances.ts';
import type { Mirror } from './mirror.ts';
import { NAMES, nodeIn } from './names.ts';
import { valueOf } from './parse.ts';
import type { Entry } from './store.ts';

/** So many keys go with one commit. */
const PAGE = 50;

interface ForgetOptions {
  readonly mirror: Mirror;
  readonly commits: Commits;
  /** Whether presence says little at present, as the store was out of reach a moment ago. */
  readonly isUncertain: () => boolean;
}

/**
 * Takes away all that a node has in the registry, as long as it has no manager; what tells of the node comes last, so that it can
 * be done again when it was interrupted.
 * @throws {HeimdallError} NODE_NOT_FOUND, NODE_ALIVE.
 */
export async function forgetNode(node: string, options: ForgetOptions): Promise<ForgottenNode> {
  const instances: string[] = [];
  const desired = new Map<string, number>();
  const deployments: number[] = [];
  for (;;) {
    const taken = await options.commits.run(() => nextPage(node, options));
    if (taken.length === 0) return { instances, desired, deployments };
    for (const entry of taken) {
      if (entry.name.startsWith('state/instances/')) instances.push(valueOf(FORM.instance, entry).instance.id);
      if (entry.name.startsWith('state/deployments/')) deployments.push(valueOf(FORM.deployment, entry).id);
      if (!entry.name.startsWith('state/services/')) continue;
      const kept = valueOf(FORM.ownService, entry);
      desired.set(kept.service, kept.desired);
    }
    if (taken.some(({ name }) => name === NAMES.node(node))) return { instances, desired, deployments };
  }
}

function nextPage(node: string, { mirror, isUncertain }: ForgetOptions): Plan<readonly Entry[]> {
  const note = mirror.get(NAMES.node(node));
  if (note === null) throw nodeNotFound(node, nodesOf(mirror));
  if (mirror.get(NAMES.manager(node)) !== null) throw nodeAlive(node);
  if (isUncertain()) {
    const message = `the registry was out of reach a moment ago, and node ${node} may be back at once: ask again in ten seconds`;
    throw new HeimdallError('NODE_ALIVE', message, { node });
  }
  const page = [...entriesOf(node, mirror), note].slice(0, PAGE);
  return {
    guards: [{ name: NAMES.manager(node), created: 0 }, ...page.map(({ name, modified }) => ({ name, modified }))],
    writes: page.map(({ name }) => ({ remove: name })),
    isDesired: true,
    result: () => page,
  };
}

function entriesOf(node: string, mirror: Mirror): Entry[] {
  const own = (kind: string) => [...mirror.all(kind).values()].filter(({ name }) => nodeIn(name) === node);
  const spawned = keptInstances(mirror).filter(({ instance }) => instance.agent === null && instance.node === node);
  const services = own('services');
  const commit = mirror.get(NAMES.commit(node));
  return [
    ...spawned.map(({ entry }) => entry),
    ...own('deployments'),
    ...services,
    ...services.flatMap((entry) => sharedOf(entry, node, mirror) ?? []),
    ...(commit === null ? [] : [commit]),
  ];
}

/** What was set of a service by hand stays as long as another node keeps the service. */
function sharedOf(entry: Entry, node: string, mirror: Mirror): Entry | null {
  const { service } = valueOf(FORM.ownService, entry);
  const keepers = [...mirror.all('services').values()].filter(
    (each) => valueOf(FORM.ownService, each).service === service,
  );
  return keepers.some(({ name }) => nodeIn(name) !== node) ? null : mirror.get(NAMES.shared(service));
}

function nodesOf(mirror: Mirror): string[] {
  return [...mirror.all('nodes').keys()].map((name) => name.slice(NAMES.node('').length)).toSorted();
}
