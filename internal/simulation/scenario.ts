import type { Answer } from './backend.ts';
import type { Span } from './ledger.ts';
import { logNormal, type Random } from './random.ts';

/** How a backend works from some time on. All times in milliseconds. */
export interface Behaviour {
  /** Since the beginning of the scenario. */
  readonly from: number;
  /** Service times are log-normal. */
  readonly median: number;
  /** Standard deviation of their logarithm. */
  readonly spread: number;
  /** So large a share of the requests takes so much longer. */
  readonly stalls?: { readonly share: number; readonly ms: number };
  /** What it answers with; 200 by default. */
  readonly status?: number;
}

export interface BackendPlan {
  readonly id: string;
  readonly weight: number;
  /** Requests that it works on at the same time; others wait in a queue of its own. */
  readonly workers: number;
  /** When its process is started; 0: it has always been there. */
  readonly joinsAt: number;
  /** In the order of their beginnings, the first at 0. */
  readonly behaviours: readonly [Behaviour, ...Behaviour[]];
}

/** The backend that a scenario is about. */
interface Watch {
  readonly backend: string;
  /** When its share is looked at. */
  readonly span: Span;
  /** Also, how long after the beginning of the span it has half its fair share. */
  readonly returns: boolean;
}

/** A load, backends, and what happens to them: data alone. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Requests per second; they come as a Poisson process. */
  readonly rate: number;
  /** Which requests count: those that come before are to let the algorithms learn. */
  readonly measured: Span;
  readonly backends: readonly BackendPlan[];
  readonly watch: Watch;
}

/** Its part of the sum of weights, once all are there. */
export function fairShare({ backends }: Scenario, id: string): number {
  const weights = backends.reduce((sum, { weight }) => sum + weight, 0);
  return (backends.find((backend) => backend.id === id)?.weight ?? 0) / weights;
}

/** How a backend deals with an attempt that it takes up at that time. */
export function drawAnswer({ behaviours }: BackendPlan, elapsedMs: number, random: Random): Answer {
  const behaviour = behaviours.findLast(({ from }) => from <= elapsedMs) ?? behaviours[0];
  const { median, spread, stalls, status = 200 } = behaviour;
  const usual = logNormal(random, median, spread);
  const isStalled = stalls !== undefined && random() < stalls.share;
  return {
    serviceMs: isStalled ? usual + stalls.ms : usual,
    tailMs: 0,
    status,
    outcome: { kind: 'completed', status },
  };
}
