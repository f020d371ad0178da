import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Deployment, type DeploymentStep, DeploymentStepSchema, isOver } from '../../model/deployment.ts';
import { deploymentNotFound, deploymentRunning } from '../refusals.ts';
import type { DeploymentChange, DeploymentDraft, ServiceChange } from '../registry.ts';
import type { Changes } from './changes.ts';
import type { Plan } from './commits.ts';
import { nextNumber } from './counters.ts';
import type { Mirror } from './mirror.ts';
import { NAMES } from './names.ts';
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

/** The deployments of one node. Their steps are numbered by the revisions in which they were written. */
export class Deployments {
  readonly #options: DeploymentsOptions;

  constructor(options: DeploymentsOptions) {
    this.#options = options;
  }

  /** @throws {HeimdallError} DEPLOYMENT_RUNNING. */
  create(draft: DeploymentDraft, now: number): Plan<Deployment> {
    const { service, kind, release, by, queue } = draft;
    const [other] = this.find({ limit: 1, service, active: true });
    if (other !== undefined && !queue) throw deploymentRunning(other);
    const { number, guard, write } = nextNumber(this.#options.mirror, 'deployments');
    const deployment: Deployment = {
      id: number,
      service,
      kind,
      state: 'queued',
      release: { ...release, deployment: number },
      previous: null,
      by,
      createdAt: now,
      startedAt: null,
      finishedAt: null,
      reason: null,
    };
    return {
      guards: [guard],
      writes: [write, { put: this.#nameOf(number), value: deployment }],
      isDesired: false,
      result: () => deployment,
    };
  }

  /** @throws {HeimdallError} DEPLOYMENT_NOT_FOUND. */
  change(id: number, change: DeploymentChange, service: ServiceChange): Plan<Deployment> {
    const entry = this.#entryOf(id);
    const deployment = { ...valueOf(FORM.deployment, entry), ...change };
    const part = this.#options.changes.servicePart(deployment.service, service);
    return {
      guards: [{ name: entry.name, modified: entry.modified }, ...part.guards],
      writes: [{ put: entry.name, value: deployment }, ...part.writes],
      isDesired: true,
      result: () => deployment,
    };
  }

  /** Newest first. */
  find(query: {
    readonly limit: number;
    readonly service?: string | undefined;
    readonly active?: boolean;
  }): Deployment[] {
    const { limit, service, active = false } = query;
    const beginning = this.#nameOf('');
    const own = [...this.#options.mirror.all('deployments').values()].filter(({ name }) => name.startsWith(beginning));
    return own
      .map((entry) => valueOf(FORM.deployment, entry))
      .filter((each) => (service === undefined || each.service === service) && !(active && isOver(each)))
      .toSorted((a, b) => b.id - a.id)
      .slice(0, limit);
  }

  /** @throws {HeimdallError} DEPLOYMENT_NOT_FOUND. */
  get(id: number): Deployment {
    return valueOf(FORM.deployment, this.#entryOf(id));
  }

  async recordStep(step: Omit<DeploymentStep, 'id'>): Promise<DeploymentStep> {
    const { deployment, at, message, instanceId, logTail } = step;
    const revision = await this.#options.store.write([putStep(step, 0)]);
    return { id: numberOf(revision, 0), deployment, at, message, instanceId, logTail };
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

  #entryOf(id: number): Entry {
    const entry = this.#options.mirror.get(this.#nameOf(id));
    if (entry === null) throw deploymentNotFound(id);
    return entry;
  }

  #nameOf(id: number | ''): string {
    return NAMES.deployment(this.#options.node, id);
  }
}

function stepsOf(deployment: number): string {
  return `${STEPS}${deployment}/`;
}

/** @param place - among what is written in the same commit. */
export function putStep(step: Omit<DeploymentStep, 'id'>, place: number): Write {
  const { deployment, at, message, instanceId, logTail } = step;
  return {
    put: `${stepsOf(deployment)}${randomUUID()}`,
    value: { deployment, at, message, instanceId, logTail, place },
  };
}

function stepOf(entry: Entry): DeploymentStep {
  const { place, ...step } = valueOf(STEP, entry);
  return { id: numberOf(entry.created, place), ...step };
}
