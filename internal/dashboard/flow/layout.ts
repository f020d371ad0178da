import { instanceStanding, isHealthy, type Standing } from '../standing.ts';
import type { LiveInstance, LiveService } from '../../model/live.ts';

/** Of a row, pixels like everything here; higher where there are few, so that the picture fills its room. */
const LOWEST_ROW = 22;
const HIGHEST_ROW = 36;
const USUAL_HEIGHT = 320;
/** Between the rows of two services. */
const GAP = 18;
const BAR = 10;
/** So wide is the ribbon of all traffic at most, and that of one instance. */
const WIDEST_TOTAL = 120;
const WIDEST_INSTANCE = 16;
const THINNEST = 1.5;
/** For the mark, the name and the figure of an instance; a phone has less, and gives them more than half of its width. */
const LEAF_ROOM = 210;
/** More instances of a service than this are drawn as a group, those in trouble apart. */
const MOST_ROWS = 10;

export interface FlowNode {
  readonly key: string;
  readonly x: number;
  /** Of its middle. */
  readonly y: number;
  readonly height: number;
  readonly label: string;
  readonly rps: number;
  readonly standing: Standing | null;
  /** Where it leads to: a service's name or an instance's id; null: nowhere. */
  readonly target: { readonly kind: 'service' | 'instance'; readonly name: string } | null;
}

export interface FlowLink {
  readonly key: string;
  /** A path of the middle of the ribbon. */
  readonly path: string;
  /** In proportion to the traffic. */
  readonly width: number;
  readonly isIdle: boolean;
  readonly standing: Standing | null;
}

export interface Flow {
  readonly height: number;
  readonly balancer: FlowNode;
  readonly services: readonly FlowNode[];
  readonly leaves: readonly FlowNode[];
  readonly links: readonly FlowLink[];
}

interface Leaf {
  readonly key: string;
  readonly label: string;
  readonly rps: number;
  readonly standing: Standing;
  readonly instance: string | null;
}

/**
 * The way of the requests: load balancer, services, instances, from left to right; ribbons as wide as their traffic.
 * @param width - of the picture.
 */
export function flowLayout(services: readonly LiveService[], instances: readonly LiveInstance[], width: number): Flow {
  const groups = services.map((service) => ({
    service,
    leaves: leavesOf(instances.filter((instance) => instance.service === service.name)),
  }));
  const total = services.reduce((sum, { traffic }) => sum + traffic.rps, 0);
  const busiest = Math.max(0, ...groups.flatMap(({ leaves }) => leaves.map(({ rps }) => rps)));
  const perRequest = Math.min(ratio(WIDEST_TOTAL, total), ratio(WIDEST_INSTANCE, busiest));
  const leafColumn = Math.max(Math.round(width * 0.46), width - LEAF_ROOM);
  const columns = { balancer: 0, service: Math.round(Math.min(width * 0.36, leafColumn * 0.6)), leaf: leafColumn };
  const count = groups.reduce((sum, { leaves }) => sum + Math.max(1, leaves.length), 0);
  const row = Math.min(HIGHEST_ROW, Math.max(LOWEST_ROW, Math.floor(USUAL_HEIGHT / count)));
  const links: FlowLink[] = [];
  const serviceNodes: FlowNode[] = [];
  const leafNodes: FlowNode[] = [];
  let top = 0;
  for (const { service, leaves } of groups) {
    const rows = Math.max(1, leaves.length) * row;
    const bar = Math.max(BAR, service.traffic.rps * perRequest);
    const height = Math.max(rows, bar + GAP);
    const node = serviceNode(service, columns.service, top + height / 2, bar);
    serviceNodes.push(node);
    const out = portsOf(
      node,
      leaves.map(({ rps }) => rps * perRequest),
    );
    for (const [at, leaf] of leaves.entries()) {
      const y = top + (height - rows) / 2 + row * (at + 0.5);
      const thickness = leaf.rps * perRequest;
      leafNodes.push(leafNode(leaf, columns.leaf, y, thickness));
      const from = { x: node.x + BAR, y: out[at] ?? node.y };
      links.push(linkOf(`${service.name}>${leaf.key}`, from, { x: columns.leaf, y }, thickness, leaf.standing));
    }
    top += height + GAP;
  }
  const height = Math.max(LOWEST_ROW, top - GAP);
  const balancer = balancerNode(height, total, Math.max(BAR, total * perRequest));
  const out = portsOf(
    balancer,
    services.map(({ traffic }) => traffic.rps * perRequest),
  );
  for (const [at, node] of serviceNodes.entries()) {
    const from = { x: columns.balancer + BAR, y: out[at] ?? balancer.y };
    links.push(linkOf(`>${node.key}`, from, { x: node.x, y: node.y }, node.rps * perRequest, null));
  }
  return { height, balancer, services: serviceNodes, leaves: leafNodes, links };
}

/** One row for each instance; of many, only for those in trouble, and one for all others together. */
function leavesOf(instances: readonly LiveInstance[]): Leaf[] {
  if (instances.length <= MOST_ROWS) return instances.map(leafOf);
  const troubled = instances.filter((instance) => !isHealthy(instance)).slice(0, MOST_ROWS - 1);
  const rest = instances.filter((instance) => !troubled.includes(instance));
  const rps = rest.reduce((sum, { traffic }) => sum + traffic.rps, 0);
  const isWell = rest.every(isHealthy);
  const standing: Standing = isWell
    ? { word: 'healthy', tone: 'good', shape: 'disc' }
    : { word: 'some in trouble', tone: 'warn', shape: 'triangle' };
  const label = `${rest.length} ${troubled.length === 0 ? 'instances' : 'others'}`;
  return [...troubled.map(leafOf), { key: `${instances[0]?.service}-rest`, label, rps, standing, instance: null }];
}

function leafOf(instance: LiveInstance): Leaf {
  const { id, host, port, traffic } = instance;
  const label = id.includes('@') ? `${host}:${port}` : `:${port}`;
  return { key: id, label, rps: traffic.rps, standing: instanceStanding(instance), instance: id };
}

function serviceNode({ name, traffic }: LiveService, x: number, y: number, height: number): FlowNode {
  const target = { kind: 'service', name } as const;
  return { key: name, x, y, height, label: name, rps: traffic.rps, standing: null, target };
}

function leafNode({ key, label, rps, standing, instance }: Leaf, x: number, y: number, thickness: number): FlowNode {
  const target = instance === null ? null : ({ kind: 'instance', name: instance } as const);
  return { key, x, y, height: Math.max(4, thickness), label, rps, standing, target };
}

function balancerNode(height: number, rps: number, bar: number): FlowNode {
  return { key: '', x: 0, y: height / 2, height: bar, label: 'load balancer', rps, standing: null, target: null };
}

/** Where ribbons leave a bar: one below the other, in its middle. */
function portsOf(node: FlowNode, widths: readonly number[]): number[] {
  const sum = widths.reduce((all, width) => all + width, 0);
  let edge = node.y - sum / 2;
  return widths.map((width) => {
    edge += width;
    return edge - width / 2;
  });
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function linkOf(key: string, from: Point, to: Point, width: number, standing: Standing | null): FlowLink {
  const middle = (from.x + to.x) / 2;
  const numbers = [from.x, from.y, middle, from.y, middle, to.y, to.x, to.y].map(
    (value) => Math.round(value * 10) / 10,
  );
  const [x0, y0, x1, y1, x2, y2, x3, y3] = numbers;
  const path = `M${x0} ${y0}C${x1} ${y1} ${x2} ${y2} ${x3} ${y3}`;
  return { key, path, width: Math.max(THINNEST, width), isIdle: width === 0, standing };
}

function ratio(most: number, value: number): number {
  return value === 0 ? 1 : most / value;
}
