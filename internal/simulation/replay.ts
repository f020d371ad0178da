import { hash32 } from '../algorithms/hash.ts';
import { ALGORITHMS, type Algorithm } from '../model/algorithms.ts';
import { hashKey } from '../proxy/request-context.ts';
import { RetryBudget } from '../proxy/retry.ts';
import { Backend } from './backend.ts';
import { BalancedSite } from './balanced-site.ts';
import { Exchange } from './exchange.ts';
import { type Figures, Ledger } from './ledger.ts';
import type { RecordedRequest } from './log-line.ts';
import { randomFrom } from './random.ts';
import type { Recording } from './recording.ts';
import { UpstreamModel } from './upstream-model.ts';
import { VirtualClock } from './virtual-clock.ts';

/** The log has no cookies, so that nobody would stick. */
export const REPLAYABLE: readonly Algorithm[] = ALGORITHMS.filter((algorithm) => algorithm !== 'sticky-round-robin');

/** The default of a service; the log does not have what else it can be. */
const HASH_KEY = 'ip+url';

/** What became of a recording, in truth or by another algorithm. */
export interface Course extends Figures {
  /** Parts of all attempts, 0 to 1, by upstream. */
  readonly shares: Readonly<Record<string, number>>;
}

/** A recording that can be played again. */
export class Replay {
  readonly models: readonly UpstreamModel[];
  readonly #recording: Recording;

  constructor(recording: Recording) {
    this.#recording = recording;
    this.models = Array.from(
      recording.attempts(),
      ([id, attempts]) => new UpstreamModel(id, attempts, recording.startedAt),
    );
  }

  /** What was recorded. */
  recorded(): Course {
    return this.#courseOf(this.#recording.ledger());
  }

  /**
   * What another algorithm would have made of the same arrivals, with upstreams that behave as they did at that time and with that
   * load. An upstream comes, goes and weighs as it did. There are as many repetitions as by default.
   */
  with(algorithm: Algorithm, seed: number): Course {
    const clock = new VirtualClock();
    const site = new BalancedSite({ algorithm, slowStart: null, room: this.models.length }, clock, randomFrom(seed));
    const ledger = new Ledger();
    const backends = new Map(
      this.models.map((model, n) => {
        const random = randomFrom(seed + 1 + n);
        return [model.id, new Backend(clock, model.workers, (now) => model.draw(now, random))];
      }),
    );
    for (const model of this.models) this.#appear(model, clock, site);
    const tools = { clock, pool: site.pool, backends, ledger, budget: new RetryBudget(() => clock.monotonic()) };
    this.#arrive(clock, (request) => new Exchange(tools, request.method, hashOf(request)).start());
    clock.run();
    return this.#courseOf(ledger);
  }

  #appear({ id, presence, weights }: UpstreamModel, clock: VirtualClock, site: BalancedSite): void {
    const [first, ...changes] = weights;
    clock.at(presence.from, () => site.join(id, first?.weight ?? 1, false));
    for (const { at, weight } of changes) clock.at(at, () => site.weigh(id, weight));
    if (presence.to < this.#recording.span.to) clock.at(presence.to, () => site.leave(id));
  }

  #arrive(clock: VirtualClock, send: (request: RecordedRequest) => void): void {
    const { requests, startedAt } = this.#recording;
    const next = (index: number) => {
      const request = requests[index];
      if (request === undefined) return;
      clock.at(request.startedAt - startedAt, () => {
        send(request);
        next(index + 1);
      });
    };
    next(0);
  }

  #courseOf(ledger: Ledger): Course {
    const { span } = this.#recording;
    const shares = ledger.shares(span);
    return {
      ...ledger.figures(span),
      shares: Object.fromEntries(this.models.map(({ id }) => [id, shares.get(id) ?? 0])),
    };
  }
}

function hashOf({ target, client }: RecordedRequest): number {
  return hash32(hashKey(HASH_KEY, { target, clientAddress: client, field: () => undefined }));
}
