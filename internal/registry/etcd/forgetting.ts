import type { Instance } from '../../model/instance.ts';
import { nodeNotFound, nodePresent } from '../node-rules.ts';
import type { Plan } from './commits.ts';
import type { Instances } from './instances.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';

/** Keys that go with one commit: etcd takes 128 writes unless it is told otherwise. */
const PORTION = 100;

/**
 * Plans to take away a portion of what is kept of a node, its note last: until then it can be gone on with.
 * @throws {HeimdallError} NODE_NOT_FOUND, NODE_PRESENT.
 */
export function forgetting(
  { mirror, instances }: { readonly mirror: Mirror; readonly instances: Instances },
  node: string,
): Plan<{ readonly instances: readonly Instance[]; readonly isOver: boolean }> {
  const note = NAMES.node(node);
  if (mirror.get(note) === null) {
    const names = [...mirror.all('nodes').keys()].toSorted();
    const known = names.map((name) => ({ name: name.slice(NAMES.node('').length) }));
    throw nodeNotFound(node, known);
  }
  if (mirror.get(NAMES.manager(node)) !== null) throw nodePresent(node);
  const own = instances.rows().filter((instance) => instance.agent === null && instance.node === node);
  const kept = own.flatMap(({ id }) => instances.get(id) ?? []);
  const within = (kind: string, beginning: string) =>
    [...mirror.all(kind).keys()].filter((name) => name.startsWith(beginning));
  const names = [
    ...kept.map(({ entry }) => entry.name),
    ...within('services', NAMES.service(node, '')),
    ...within('deployments', NAMES.deployment(node, '')),
    ...[NAMES.usage(node), NAMES.commit(node)].filter((name) => mirror.get(name) !== null),
    note,
  ];
  const portion = new Set(names.slice(0, PORTION));
  return {
    guards: [{ name: NAMES.manager(node), created: 0 }],
    writes: Array.from(portion, (name) => ({ remove: name })),
    isDesired: true,
    result: () => ({
      instances: kept.filter(({ entry }) => portion.has(entry.name)).map(({ instance }) => instance),
      isOver: portion.has(note),
    }),
  };
}
