import type { Autoscale } from '../model/rollout.ts';

/** What a service has to do at one moment. */
export interface Load {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Requests in flight and waiting, at all load balancers together. */
  readonly inFlight: number;
  /** There may be more: an nginx or HAProxy in front counts none. */
  readonly isPartial: boolean;
  /** Percent of one core that all its instances use together; null: not known. */
  readonly cpu: number | null;
}

export interface ScaleDecision {
  readonly instances: number;
  /** For people. */
  readonly reason: string;
}

/** As with the horizontal autoscaler of Kubernetes: within a tenth of the goal nothing changes. */
const TOLERANCE = 0.1;

/**
 * Decides how many instances a service is to have. The number that the load needs is that of the metric that needs more:
 * `ceil(load / goal of one instance)`, of the mean over `scaleUpAfter`. It grows to what is needed now, and shrinks to the
 * most that was needed within `scaleDownAfter` (the stabilization window of Kubernetes' horizontal autoscaler).
 */
export class ScaleDecider {
  #loads: readonly Load[] = [];
  /** What was needed at each look. */
  #needs: readonly { readonly at: number; readonly need: Need }[] = [];
  #begun: number | null = null;
  #changedAt = Number.NEGATIVE_INFINITY;

  /**
   * To be called about every second.
   * @param present - how many instances there shall be at present.
   * @param scheduled - what the calendar asks for at least; null: nothing.
   * @returns null when nothing is to be changed.
   */
  decide(load: Load, present: number, scheduled: number | null, settings: Autoscale): ScaleDecision | null {
    const { at } = load;
    const { scaleUpAfter, scaleDownAfter, cooldown, max } = settings;
    this.#begun ??= at;
    this.#loads = [...this.#loads, load].filter((each) => each.at > at - scaleUpAfter);
    const least = Math.min(max, Math.max(settings.min, scheduled ?? 0));
    const need = needOf(this.#loads, present, settings);
    this.#needs = [...this.#needs, { at, need }].filter((each) => each.at > at - scaleDownAfter);

    if (present < least)
      return this.#change(at, least, scheduled === least ? 'the calendar asks for it' : 'the least there may be');
    if (present > max) return this.#change(at, max, 'the most there may be');
    if (at - this.#changedAt < cooldown) return null;
    const seenMs = at - this.#begun;
    if (need.instances > present && seenMs >= scaleUpAfter) {
      const instances = Math.min(max, need.instances);
      return instances > present ? this.#change(at, instances, need.reason) : null;
    }
    if (seenMs < scaleDownAfter) return null;
    const most = this.#needs.reduce((a, b) => (b.need.instances > a.need.instances ? b : a));
    const instances = Math.max(least, most.need.instances);
    return instances < present ? this.#change(at, instances, most.need.reason) : null;
  }

  #change(at: number, instances: number, reason: string): ScaleDecision {
    this.#changedAt = at;
    return { instances, reason };
  }
}

interface Need {
  readonly instances: number;
  readonly reason: string;
}

function needOf(loads: readonly Load[], present: number, { inFlightPerInstance, cpu }: Autoscale): Need {
  const inFlight = meanOf(loads.map((load) => load.inFlight));
  const least = loads.some(({ isPartial }) => isPartial) ? present : 0; // who is not seen may need all of them
  const used = meanOf(loads.flatMap((load) => load.cpu ?? []));
  const needs = [
    ...(inFlightPerInstance === undefined
      ? []
      : [
          {
            instances: Math.max(least, neededFor(inFlight, inFlightPerInstance, present)),
            reason: `${round(inFlight)} requests in flight, ${inFlightPerInstance} for each instance`,
          },
        ]),
    ...(cpu === undefined || !loads.some((load) => load.cpu !== null)
      ? []
      : [
          {
            instances: neededFor(used, cpu, present),
            reason: `${round(used)} % of a core in use, ${cpu} % for each instance`,
          },
        ]),
  ];
  const [first = { instances: 0, reason: 'nothing asks for more' }, ...others] = needs;
  return others.reduce((a, b) => (b.instances > a.instances ? b : a), first);
}

function neededFor(load: number, goal: number, present: number): number {
  if (present > 0 && Math.abs(load / (goal * present) - 1) <= TOLERANCE) return present;
  return Math.ceil(load / goal);
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function round(value: number): number {
  return Number(value.toFixed(1));
}
