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

/**
 * The same scenario, algorithm, seed and number of balancers give the same performance, on any machine.
 * @param balancers - load balancers before the same backends. None knows of the others; each gets its requests by chance, as
 *   connections that are spread by their addresses do.
 */
export function simulateScenario(scenario: Scenario, algorithm: Algorithm, seed: number, balancers = 1): Performance {
  const clock = new VirtualClock();
  const random = randomFrom(seed);
  const ledger = new Ledger();
  const backends = new Map(
    scenario.backends.map((plan, n) => [plan.id, backendOf(plan, clock, randomFrom(seed + 2 + n))]),
  );
  const sites = Array.from({ length: balancers }, (_, n) => siteOf(scenario, algorithm, clock, seedOf(seed, n)));
  const tools = sites.map(({ pool }) => {
    return { clock, pool, backends, ledger, budget: new RetryBudget(() => clock.monotonic()) };
  });
  const whose = randomFrom(seed - 1);
  arrive(scenario, clock, random, (hash) => {
    const own = tools[Math.floor(whose() * balancers)];
    if (own !== undefined) new Exchange(own, 'GET', hash).start();
  });
  clock.run();
  return {
    algorithm,
    ...ledger.figures(scenario.measured),
    shares: sharesOf(scenario, ledger),
    watched: watchedIn(scenario, ledger),
  };
}

function siteOf({ backends }: Scenario, algorithm: Algorithm, clock: VirtualClock, seed: number): BalancedSite {
  const settings = { algorithm, slowStart: SLOW_START_MS, room: backends.length };
  const site = new BalancedSite(settings, clock, randomFrom(seed));
  for (const { id, weight, joinsAt } of backends) clock.at(joinsAt, () => site.join(id, weight, joinsAt > 0));
  return site;
}

/** Of one of several balancers: far from those of the backends. */
function seedOf(seed: number, balancer: number): number {
  return balancer === 0 ? seed + 1 : seed + 1_000_003 * balancer;
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
