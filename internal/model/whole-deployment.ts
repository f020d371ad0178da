import { type Deployment, isActive, isOver } from './deployment.ts';

/** A deployment as people know it: all of its parts together. */
export interface WholeDeployment extends Deployment {
  /** In turn; last those of nodes that it does not go through. */
  readonly parts: readonly Deployment[];
}

type State = Deployment['state'];

/**
 * @param parts - all that there are, at least one.
 * @param gone - nodes that nobody waits for.
 */
export function wholeOf(parts: readonly Deployment[], gone: ReadonlySet<string>): WholeDeployment {
  const sorted = inTurn(parts);
  const [first] = sorted;
  if (first === undefined) throw new Error('a deployment has a part at least');
  const [only, other] = sorted.filter(takesPart);
  if (only !== undefined && other === undefined && sorted.length === 1 && !isLost(only, gone)) {
    return { ...only, parts: sorted };
  }
  const state = stateOf(sorted.filter(takesPart), gone);
  const starts = sorted.flatMap(({ startedAt }) => startedAt ?? []);
  return {
    ...first,
    state,
    startedAt: starts.length === 0 ? null : Math.min(...starts),
    finishedAt: isOver({ state }) ? latestTime(sorted) : null,
    reason: isOver({ state }) && state !== 'succeeded' ? reasonOf(sorted, gone) : null,
    parts: sorted,
  };
}

/** Whether a node's part may begin: `never` with why. */
export type Turn = 'now' | 'later' | { readonly never: string };

/** @param parts - all that there are. */
export function turnOf(part: Deployment, parts: readonly Deployment[], gone: ReadonlySet<string>): Turn {
  const sorted = inTurn(parts).filter(takesPart);
  const at = sorted.findIndex(({ node }) => node === part.node);
  const before = sorted[at - 1];
  if (before === undefined || before.state === 'succeeded') return 'now';
  if (isLost(before, gone)) return { never: `node ${before.node} is away` };
  if (!isOver(before)) return 'later';
  return { never: before.state === 'skipped' ? (before.reason ?? '') : `it did not get through node ${before.node}` };
}

/** Whether a deployment goes through the node of this part. */
function takesPart({ node, nodes }: Pick<Deployment, 'node' | 'nodes'>): boolean {
  return node === null || nodes.includes(node);
}

function inTurn(parts: readonly Deployment[]): Deployment[] {
  const placeOf = ({ node, nodes }: Deployment) => {
    const place = nodes.indexOf(node ?? '');
    return place === -1 ? nodes.length : place;
  };
  return parts.toSorted((a, b) => placeOf(a) - placeOf(b) || ((a.node ?? '') < (b.node ?? '') ? -1 : 1));
}

/** It is under way where nobody goes on with it at present. */
function isLost(part: Deployment, gone: ReadonlySet<string>): boolean {
  return isActive(part) && part.node !== null && gone.has(part.node);
}

/** @param parts - those that take part. */
function stateOf(parts: readonly Deployment[], gone: ReadonlySet<string>): State {
  const active = parts.find((part) => isActive(part) && !isLost(part, gone));
  if (active !== undefined) return active.state;
  const hasBegun = parts.some(({ state }) => state !== 'queued' && state !== 'skipped');
  if (parts.some(({ state }) => state === 'queued')) return hasBegun ? 'running' : 'queued';
  const succeeded = parts.filter(({ state }) => state === 'succeeded').length;
  if (succeeded > 0) return succeeded === parts.length ? 'succeeded' : 'failed';
  if (parts.some((part) => isLost(part, gone) || part.state === 'failed')) return 'failed';
  return parts.some(({ state }) => state === 'rolled-back') ? 'rolled-back' : 'skipped';
}

/** Why it ended, and what is in force where. */
function reasonOf(parts: readonly Deployment[], gone: ReadonlySet<string>): string {
  const namesOf = (...states: State[]) => {
    return parts.flatMap(({ node, state }) => (states.includes(state) ? [node] : [])).join(', ');
  };
  const [changed, kept] = [namesOf('succeeded'), namesOf('rolled-back', 'skipped')];
  return [
    causeOf(parts, gone),
    ...(changed === '' ? [] : [`what is new runs on ${changed}`]),
    ...(kept === '' ? [] : [`what ran before runs on ${kept}`]),
  ].join('; ');
}

function causeOf(parts: readonly Deployment[], gone: ReadonlySet<string>): string {
  const lost = parts.find((part) => isLost(part, gone));
  if (lost !== undefined) return `node ${lost.node} is away, and goes on with its part when it is back`;
  const stopped = parts.find(({ state }) => state === 'rolled-back' || state === 'failed');
  if (stopped !== undefined) return `on node ${stopped.node}: ${stopped.reason}`;
  return parts.find((part) => part.state === 'skipped' && takesPart(part))?.reason ?? '';
}

function latestTime(parts: readonly Deployment[]): number {
  return Math.max(...parts.map(({ finishedAt, startedAt, createdAt }) => finishedAt ?? startedAt ?? createdAt));
}
