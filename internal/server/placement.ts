import type { Instance } from '../model/instance.ts';
import type { NodeRecord } from '../model/node.ts';

/** How many instances of one service a node has, or is to have. */
interface Share {
  readonly node: string;
  readonly cores: number;
  /** In tenths, so that a breath of it decides nothing. */
  readonly load: number;
  readonly isSelf: boolean;
  count: number;
}

export interface Placing {
  readonly service: string;
  /** Those that can start instances of it. */
  readonly nodes: readonly NodeRecord[];
  /** All that there are. */
  readonly instances: readonly Instance[];
  /** The node that decides, which takes what is equal elsewhere. */
  readonly self: string;
}

/** How many more instances each node gets: one after the other goes where there are fewest of the service for each core, then where the load is least. */
export function placed(placing: Placing, count: number): Map<string, number> {
  const shares = sharesOf(placing);
  const more = new Map<string, number>();
  for (let left = count; left > 0; left -= 1) {
    const [first] = shares.toSorted(emptiestFirst);
    if (first === undefined) break;
    first.count += 1;
    more.set(first.node, (more.get(first.node) ?? 0) + 1);
  }
  return more;
}

/** How many instances each node shall have so that there are `total`: what is there stays where it is as far as that goes. */
export function levelled(placing: Placing, total: number): Map<string, number> {
  const shares = sharesOf(placing);
  let missing = total - shares.reduce((sum, { count }) => sum + count, 0);
  for (; missing > 0; missing -= 1) step(shares.toSorted(emptiestFirst)[0], 1);
  for (; missing < 0; missing += 1) step(shares.toSorted(emptiestFirst).at(-1), -1);
  return new Map(shares.map(({ node, count }) => [node, count]));
}

function step(share: Share | undefined, by: number): void {
  if (share !== undefined) share.count += by;
}

function sharesOf({ service, nodes, instances, self }: Placing): Share[] {
  const stays = instances.filter(
    (each) => each.service === service && each.agent === null && !['draining', 'stopped'].includes(each.lifecycle),
  );
  return nodes.map(({ name, cores, load }) => ({
    node: name,
    cores,
    load: Math.round(load * 10),
    isSelf: name === self,
    count: stays.filter(({ node }) => (node ?? self) === name).length,
  }));
}

function emptiestFirst(a: Share, b: Share): number {
  return (
    a.count / a.cores - b.count / b.cores ||
    a.load - b.load ||
    Number(b.isSelf) - Number(a.isSelf) ||
    (a.node < b.node ? -1 : 1)
  );
}
