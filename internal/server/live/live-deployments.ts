import { type DeploymentStep, isOver } from '../../model/deployment.ts';
import type { LiveDeployment } from '../../model/live.ts';
import { type WholeDeployment, wholeOf } from '../../model/whole-deployment.ts';
import type { RegistryWriter } from '../../registry/registry.ts';
import type { Absences } from '../absences.ts';
import { deploymentView, stepView } from '../deployment-views.ts';

/** How long a deployment that is over is shown, in milliseconds. */
const OVER_MS = 15 * 60_000;
/** How many deployments are looked at, and how many steps of one are shown. */
const MOST = 50;
const STEPS = 100;

type Registry = Pick<RegistryWriter, 'allDeployments' | 'deploymentSteps'>;

/** The deployments to be shown. */
export class LiveDeployments {
  readonly #registry: Registry;
  readonly #absences: Pick<Absences, 'gone'>;
  readonly #clock: () => number;
  /** Of those that are shown, by id. */
  readonly #steps = new Map<number, readonly DeploymentStep[]>();

  /** @param clock - epoch milliseconds. */
  constructor(registry: Registry, absences: Pick<Absences, 'gone'>, clock: () => number) {
    this.#registry = registry;
    this.#absences = absences;
    this.#clock = clock;
  }

  /** Newest first. */
  async read(): Promise<LiveDeployment[]> {
    const [active, latest] = await Promise.all([
      this.#registry.allDeployments({ limit: MOST, active: true }),
      this.#registry.allDeployments({ limit: MOST }),
    ]);
    const since = this.#clock() - OVER_MS;
    const { gone } = this.#absences;
    const all = new Map([...active, ...latest].map((parts) => [parts[0]?.id, wholeOf(parts, gone)]));
    const shown = [...all.values()]
      .filter((deployment) => !isOver(deployment) || (deployment.finishedAt ?? 0) > since)
      .toSorted((a, b) => b.id - a.id);
    for (const id of this.#steps.keys()) if (!shown.some((each) => each.id === id)) this.#steps.delete(id);
    return Promise.all(shown.map((deployment) => this.#withSteps(deployment)));
  }

  /** Only what is new is read: a deployment to 200 instances has hundreds of steps. */
  async #withSteps(deployment: WholeDeployment): Promise<LiveDeployment> {
    const { id } = deployment;
    const known = this.#steps.get(id) ?? [];
    const news = await this.#registry.deploymentSteps(id, known.at(-1)?.id ?? 0);
    const steps = [...known, ...news].slice(-STEPS);
    this.#steps.set(id, steps);
    return { ...deploymentView(deployment), steps: steps.map(stepView) };
  }
}
