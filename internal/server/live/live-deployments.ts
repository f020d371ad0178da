import { type Deployment, type DeploymentStep, isOver } from '../../model/deployment.ts';
import type { LiveDeployment } from '../../model/live.ts';
import type { RegistryWriter } from '../../registry/registry.ts';
import { deploymentView, stepView } from '../deployment-views.ts';

/** How long a deployment that is over is shown, in milliseconds. */
const OVER_MS = 15 * 60_000;
/** How many deployments are looked at, and how many steps of one are shown. */
const MOST = 50;
const STEPS = 100;

/** The deployments to be shown. */
export class LiveDeployments {
  readonly #registry: Pick<RegistryWriter, 'deployments' | 'deploymentSteps'>;
  readonly #clock: () => number;
  /** Of those that are shown, by id. */
  readonly #steps = new Map<number, readonly DeploymentStep[]>();

  /** @param clock - epoch milliseconds. */
  constructor(registry: Pick<RegistryWriter, 'deployments' | 'deploymentSteps'>, clock: () => number) {
    this.#registry = registry;
    this.#clock = clock;
  }

  /** Newest first. */
  async read(): Promise<LiveDeployment[]> {
    const [active, latest] = await Promise.all([
      this.#registry.deployments({ limit: MOST, active: true }),
      this.#registry.deployments({ limit: MOST }),
    ]);
    const since = this.#clock() - OVER_MS;
    const over = latest.filter((deployment) => isOver(deployment) && (deployment.finishedAt ?? 0) > since);
    const shown = [...active, ...over].toSorted((a, b) => b.id - a.id);
    for (const id of this.#steps.keys()) if (!shown.some((each) => each.id === id)) this.#steps.delete(id);
    return Promise.all(shown.map((deployment) => this.#withSteps(deployment)));
  }

  /** Only what is new is read: a deployment to 200 instances has hundreds of steps. */
  async #withSteps(deployment: Deployment): Promise<LiveDeployment> {
    const { id } = deployment;
    const known = this.#steps.get(id) ?? [];
    const news = await this.#registry.deploymentSteps(id, known.at(-1)?.id ?? 0);
    const steps = [...known, ...news].slice(-STEPS);
    this.#steps.set(id, steps);
    return { ...deploymentView(deployment), steps: steps.map(stepView) };
  }
}
