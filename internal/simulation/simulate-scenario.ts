import type { Algorithm } from '../model/algorithms.ts';
import { RetryBudget } from '../proxy/retry.ts';
import { Backend } from './backend.ts';
import { BalancedSite } from './balanced-site.ts';
import { Exchange } from './exchange.ts';
import { type Figures, Ledger } from './ledger.ts';
import { exponential, type Random, randomFrom } from './random.ts';
import { type BackendPlan, drawAnswer, fairShare, type Scenario } from './scenario.ts';
import { VirtualClock } from './virtual-clock.ts';

/** The default of the configuration. */
const SLOW_START_MS = 10_000;

/** What an algorithm made of a scenario. Shares are parts of all attempts, 0 to 1. */
export interface Performance extends Figures {
  readonly algorithm: Algorithm;
  readonly shares: Readonly<Record<string, number>>;
  readonly watched: Watched;
}

/** About the backend that the scenario watches, while it does. */
interface Watched {
  readonly share: number;
  /** Its greatest share in any second. */
  readonly greatest: number;
  /** Seconds until it had half its fair share in a second; infinite: it never had; null: that is not asked. */
  readonly backAfter: number | null;
}

/** The same scenario, algorithm and seed give the same performance, on any machine. */
export function simulateScenario(scenario: Scenario, algorithm: Algorithm, seed: number): Performance {
  const clock = new VirtualClock();
  const random = randomFrom(seed);
  const site = new BalancedSite(
    { algorithm, slowStart: SLOW_START_MS, room: scenario.backends.length },
    clock,
    randomFrom(seed + 1),
  );
  const ledger = new Ledger();
  const backends = new Map(
    scenario.backends.map((plan, n) => [plan.id, backendOf(plan, clock, randomFrom(seed + 2 + n))]),
  );
  for (const { id, weight, joinsAt } of scenario.backends) clock.at(joinsAt, () => site.join(id, weight, joinsAt > 0));
  const tools = { clock, pool: site.pool, backends, ledger, budget: new RetryBudget(() => clock.monotonic()) };
  arrive(scenario, clock, random, (hash) => new Exchange(tools, 'GET', hash).start());
  clock.run();
  return {
    algorithm,
    ...ledger.figures(scenario.measured),
    shares: sharesOf(scenario, ledger),
    watched: watchedIn(scenario, ledger),
  };
}

function backendOf(plan: BackendPlan, clock: VirtualClock, random: Random): Backend {
  return new Backend(clock, plan.workers, (now) => drawAnswer(plan, now, random));
}

/** Requests with keys of their own, as a Poisson process to the end of the scenario. */
function arrive({ rate, measured }: Scenario, clock: VirtualClock, random: Random, send: (hash: number) => void): void {
  const next = () =>
    clock.after(exponential(random, 1_000 / rate), () => {
      if (clock.monotonic() >= measured.to) return;
      send(Math.floor(random() * 2 ** 32));
      next();
    });
  next();
}

function sharesOf({ backends, measured }: Scenario, ledger: Ledger): Record<string, number> {
  const shares = ledger.shares(measured);
  return Object.fromEntries(backends.map(({ id }) => [id, shares.get(id) ?? 0]));
}

function watchedIn(scenario: Scenario, ledger: Ledger): Watched {
  const { backend, span, returns } = scenario.watch;
  const bySecond = ledger.sharesBySecond(backend, span);
  const back = bySecond.findIndex((share) => share >= fairShare(scenario, backend) / 2);
  return {
    share: ledger.shares(span).get(backend) ?? 0,
    greatest: Math.max(...bySecond),
    backAfter: returns ? (back === -1 ? Number.POSITIVE_INFINITY : back + 1) : null,
  };
}
