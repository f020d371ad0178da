import { isDeepStrictEqual } from 'node:util';
import type { Deployment } from '../model/deployment.ts';
import type { NodeRecord } from '../model/node.ts';
import { FIRST_RELEASE, type Release } from '../model/release.ts';
import type { DeploymentPartDraft, NodeRelease } from '../registry/registry.ts';

/** What a node is to run instead of what it runs; null: nothing else. */
export type ReleaseOn = (node: string, present: Release) => Release | null;

/** The parts of a deployment over nodes, in turn. @param nodes - those that can start instances of the service. */
export function partsFor(
  nodes: readonly Pick<NodeRecord, 'name' | 'alive'>[],
  releases: readonly NodeRelease[],
  releaseOn: ReleaseOn,
): DeploymentPartDraft[] {
  return nodes.flatMap(({ name, alive }) => {
    const release = releaseOn(name, presentOn(name, releases));
    if (release === null) return [];
    return [{ node: name, release, skipped: alive ? null : `node ${name} is away, and keeps what it runs` }];
  });
}

/**
 * Undoes the latest release, where it is in force; a node that runs another one already has nothing to undo.
 * @param nodes - names. @param history - of all nodes, newest first.
 */
export function undoing(
  nodes: readonly string[],
  releases: readonly NodeRelease[],
  history: readonly Deployment[],
): ReleaseOn {
  const newest = nodes
    .map((node) => presentOn(node, releases))
    .reduce((a, b) => ((b.deployment ?? 0) > (a.deployment ?? 0) ? b : a), FIRST_RELEASE);
  return (node, present) => {
    const own = history.filter((part) => part.node === node);
    return isSameRelease(present, newest) ? (releaseBefore(own, present) ?? null) : null;
  };
}

/** The latest release that ran before the present one and is another. @param history - of one node, newest first. */
export function releaseBefore(history: readonly Deployment[], present: Release): Release | undefined {
  return history
    .filter(({ id, state }) => state === 'succeeded' && id <= (present.deployment ?? 0))
    .flatMap(({ previous }) => previous ?? [])
    .find((release) => !isSameRelease(release, present));
}

function presentOn(name: string, releases: readonly NodeRelease[]): Release {
  return releases.find(({ node }) => node === name)?.release ?? FIRST_RELEASE;
}

/** Whether they run the same, whichever deployment brought them. */
function isSameRelease(a: Release, b: Release): boolean {
  return a.version === b.version && a.variant === b.variant && isDeepStrictEqual(a.env, b.env);
}
