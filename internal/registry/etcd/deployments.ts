import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Deployment, type DeploymentStep, DeploymentStepSchema, isOver } from '../../model/deployment.ts';
import { deploymentNotFound, deploymentRunning } from '../refusals.ts';
import type {
  DeploymentChange,
  DeploymentDraft,
  DeploymentPartDraft,
  DeploymentQuery,
  NodeRelease,
  ServiceChange,
} from '../registry.ts';
import type { Changes } from './changes.ts';
import type { Plan } from './commits.ts';
import { nextNumber } from './counters.ts';
import type { Mirror } from './mirror.ts';
import { NAMES, nodeIn } from './names.ts';
import { FORM } from './forms.ts';
import { numberOf } from './numbers.ts';
import { Form, valueOf } from './parse.ts';
import type { Entry, Store, Write } from './store.ts';

/** @property place - among those written in the same commit. */
const STEP = new Form(DeploymentStepSchema.omit({ id: true }).extend({ place: z.int().default(0) }));
export const STEPS = 'kept/steps/';
const PAGE = 500;

interface DeploymentsOptions {
  readonly store: Store;
  readonly mirror: Mirror;
  readonly changes: Changes;
  readonly node: string;
}

/** Deployments, as the manager of one node sees and makes them. Their steps are numbered by the revisions in which they were written. */
export class Deployments {
  readonly #options: DeploymentsOptions;

  constructor(options: DeploymentsOptions) {
    this.#options = options;
  }

  /** @throws {HeimdallError} DEPLOYMENT_RUNNING. */
  create(draft: DeploymentDraft, now: number): Plan<Deployment> {
    const { service, release, queue } = draft;
    const { parts = [{ node: this.#options.node, release, skipped: null }] } = draft;
    const taking = parts.filter(({ skipped }) => skipped === null).map(({ node }) => node);
    const active = this.#all().filter((each) => each.service === service && !isOver(each));
    const other = active.find(({ node }) => node !== null && taking.includes(node));
    if (other !== undefined && !queue) throw deploymentRunning(other);
    const { number, guard, write } = nextNumber(this.#options.mirror, 'deployments');
    const made = parts.map((part) => newPart(number, draft, part, taking, now));
    const [first] = made;
    if (first === undefined) throw new Error('a deployment needs a node');
    return {
      guards: [guard],
      writes: [write, ...made.map((part) => ({ put: NAMES.deployment(part.node ?? '', number), value: part }))],
      isDesired: false,
      result: () => first,
    };
  }

  /** @throws {HeimdallError} DEPLOYMENT_NOT_FOUND. */
  change(id: number, change: DeploymentChange, service: ServiceChange): Plan<Deployment> {
    const entry = this.#entryOf(id);
    const before = valueOf(FORM.deployment, entry);
    if (isOver(before)) return { guards: [], writes: [], isDesired: true, result: () => before };
    const deployment = { ...before, ...change };
    const part = this.#options.changes.servicePart(deployment.service, service);
    return {
      guards: [{ name: entry.name, modified: entry.modified }, ...part.guards],
      writes: [{ put: entry.name, value: deployment }, ...part.writes],
      isDesired: true,
      result: () => deployment,
    };
  }

  /** @throws {HeimdallError} DEPLOYMENT_NOT_FOUND. */
  giveUp(id: number, { reason, node }: { readonly reason: string; readonly node?: string }, now: number): Plan<void> {
    const left = this.#entriesOf(id).filter((entry) => {
      const part = valueOf(FORM.deployment, entry);
      return !isOver(part) && (node === undefined || part.node === node);
    });
    const given = left.map((entry): Write => {
      const part = valueOf(FORM.deployment, entry);
      const end = { state: 'skipped', finishedAt: now, reason } as const;
      return { put: entry.name, value: part.state === 'queued' ? { ...part, ...end } : { ...part, givenUp: reason } };
    });
    const guards = left.map(({ name, modified }) => ({ name, modified }));
    return { guards, writes: given, isDesired: true, result: () => {} };
  }

  /** Those of this node, newest first. */
  find({ limit, service, active = false }: DeploymentQuery): Deployment[] {
    const beginning = NAMES.deployment(this.#options.node, '');
    const own = this.#entries().filter(({ name }) => name.startsWith(beginning));
    return own
      .map((entry) => valueOf(FORM.deployment, entry))
      .filter((each) => (service === undefined || each.service === service) && !(active && isOver(each)))
      .toSorted((a, b) => b.id - a.id)
      .slice(0, limit);
  }

  /** Those of all nodes, newest first. */
  findAll({ limit, service, active = false }: DeploymentQuery): Deployment[][] {
    const found = this.#all().filter((each) => service === undefined || each.service === service);
    return [...Map.groupBy(found, ({ id }) => id).values()]
      .filter((parts) => !active || parts.some((part) => !isOver(part)))
      .toSorted(([a], [b]) => (b?.id ?? 0) - (a?.id ?? 0))
      .slice(0, limit);
  }

  /** @throws {HeimdallError} DEPLOYMENT_NOT_FOUND. */
  get(id: number): Deployment {
    return valueOf(FORM.deployment, this.#entryOf(id));
  }

  /** @throws {HeimdallError} DEPLOYMENT_NOT_FOUND. */
  parts(id: number): Deployment[] {
    return this.#entriesOf(id).map((entry) => valueOf(FORM.deployment, entry));
  }

  releases(service: string): NodeRelease[] {
    const ending = `/${encodeURIComponent(service)}`;
    const kept = [...this.#options.mirror.all('services').values()].filter(({ name }) => name.endsWith(ending));
    return kept.map((entry) => ({
      node: nodeIn(entry.name),
      release: valueOf(FORM.ownService, entry).release,
    }));
  }

  async recordStep(step: Omit<DeploymentStep, 'id' | 'node'>): Promise<DeploymentStep> {
    const { deployment, at, message, instanceId, logTail } = step;
    const { node } = this.#options;
    const revision = await this.#options.store.write([putStep({ ...step, node }, 0)]);
    return { id: numberOf(revision, 0), deployment, at, message, instanceId, logTail, node };
  }

  /** Oldest first. */
  async steps(deployment: number, after: number): Promise<DeploymentStep[]> {
    const { entries } = await this.#options.store.list(stepsOf(deployment));
    const steps = entries.map(stepOf).filter(({ id }) => id > after);
    return steps.toSorted((a, b) => a.id - b.id);
  }

  /** Those older than `before`, of deployments that are over. */
  async deleteSteps(before: number): Promise<void> {
    const { store } = this.#options;
    const over = this.find({ limit: Number.POSITIVE_INFINITY }).filter(({ finishedAt }) => finishedAt !== null);
    for (const { id } of over) {
      let from = stepsOf(id);
      for (;;) {
        const { entries, more } = await store.list(stepsOf(id), { from, limit: PAGE });
        const old = entries.filter((entry) => stepOf(entry).at < before);
        if (old.length > 0) await store.write(old.map(({ name }) => ({ remove: name })));
        const last = entries.at(-1);
        if (!more || last === undefined) break;
        from = `${last.name}\0`;
      }
    }
  }

  /** Numbers of those that a node has a part in. */
  idsOn(node: string): number[] {
    return this.#all().flatMap((part) => (part.node === node ? [part.id] : []));
  }

  /** Of deployments that no node has a part in any more. */
  async deleteOrphanedSteps(ids: readonly number[]): Promise<void> {
    const kept = new Set(this.#all().map(({ id }) => id));
    for (const id of ids) if (!kept.has(id)) await this.#options.store.removeAll(stepsOf(id));
  }

  #entryOf(id: number): Entry {
    const entry = this.#options.mirror.get(NAMES.deployment(this.#options.node, id));
    if (entry === null) throw deploymentNotFound(id);
    return entry;
  }

  /** Of all nodes. */
  #entriesOf(id: number): Entry[] {
    const entries = this.#entries().filter(({ name }) => name.endsWith(`/${id}`));
    if (entries.length === 0) throw deploymentNotFound(id);
    return entries;
  }

  #all(): Deployment[] {
    return this.#entries().map((entry) => valueOf(FORM.deployment, entry));
  }

  #entries(): Entry[] {
    return [...this.#options.mirror.all('deployments').values()];
  }
}

function newPart(
  id: number,
  { service, kind, by }: DeploymentDraft,
  { node, release, skipped }: DeploymentPartDraft,
  nodes: string[],
  now: number,
): Deployment {
  return {
    id,
    service,
    kind,
    state: skipped === null ? 'queued' : 'skipped',
    release: { ...release, deployment: id },
    previous: null,
    by,
    createdAt: now,
    startedAt: null,
    finishedAt: skipped === null ? null : now,
    reason: skipped,
    node,
    nodes,
    givenUp: null,
  };
}

function stepsOf(deployment: number): string {
  return `${STEPS}${deployment}/`;
}

/** @param place - among what is written in the same commit. */
export function putStep(step: Omit<DeploymentStep, 'id'>, place: number): Write {
  const { deployment, at, message, instanceId, logTail, node } = step;
  return {
    put: `${stepsOf(deployment)}${randomUUID()}`,
    value: { deployment, at, message, instanceId, logTail, node, place },
  };
}

function stepOf(entry: Entry): DeploymentStep {
  const { place, ...step } = valueOf(STEP, entry);
  return { id: numberOf(entry.created, place), ...step };
}
