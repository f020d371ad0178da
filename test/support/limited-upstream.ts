import { ConcurrencyLimit } from '../../internal/health/concurrency.ts';
import { exponential, type Random, randomFrom } from '../../internal/simulation/random.ts';
import { VirtualClock } from '../../internal/simulation/virtual-clock.ts';

/** Between two looks of the limit. */
const LOOK_MS = 100;

export interface LimitedCourse {
  /** Requests that the upstream works on at a time; what comes on top waits there. */
  readonly workers: number;
  /** @param load - how many it has, this one included. */
  readonly serviceMs: (random: Random, now: number, load: number) => number;
  /** Whether it works on all at once, so that `serviceMs` alone tells what a crowd does to it. */
  readonly shared?: boolean;
  /** So many clients that come again as soon as they are answered, in place of the requests of `rate`. */
  readonly crowd?: number;
  /** Requests per second. */
  readonly rate: (now: number) => number;
  readonly seconds: number;
  /** How long a request waits for room. */
  readonly patienceMs: number;
  /** Share of the answers that are gateway errors. */
  readonly errors?: (now: number) => number;
  readonly tolerance?: number;
  readonly seed?: number;
}

export interface Served {
  /** Answers per second. */
  readonly rate: number;
  /** From the arrival to the answer, in milliseconds. */
  readonly p99: number;
}

/** One upstream behind a `ConcurrencyLimit`, with a Poisson process of requests whatever comes of them, on a virtual clock. */
export class LimitedUpstream {
  readonly limit: ConcurrencyLimit;
  /** One for each look. */
  readonly limits: number[] = [];
  readonly #course: LimitedCourse;
  readonly #random: Random;
  readonly #clock = new VirtualClock();
  readonly #queue: (() => void)[] = [];
  readonly #line: { readonly at: number }[] = [];
  readonly #served: { readonly at: number; readonly ms: number }[] = [];
  #answers = 0;
  #logMs = 0;
  #gatewayErrors = 0;
  #inUse = 0;
  #busy = 0;
  #wasFull = false;

  constructor(course: LimitedCourse) {
    const { seed = 1, tolerance = 1.25 } = course;
    this.#course = course;
    this.#random = randomFrom(seed);
    this.limit = new ConcurrencyLimit({ min: 1, max: 1_000, tolerance }, 0, this.#random);
    if (course.crowd === undefined) this.#clock.after(0, () => this.#arrive());
    for (let n = 0; n < (course.crowd ?? 0); n += 1) this.#clock.after(n, () => this.#ask());
    this.#clock.after(LOOK_MS, () => this.#look());
    this.#clock.run();
  }

  /** What was answered between two seconds of the course. */
  served(from: number, to: number): Served {
    const within = this.#served.filter(({ at }) => at >= from * 1_000 && at < to * 1_000);
    const times = within.map(({ ms }) => ms).toSorted((a, b) => a - b);
    return { rate: within.length / (to - from), p99: times[Math.floor(times.length * 0.99)] ?? Number.NaN };
  }

  get #isOver(): boolean {
    return this.#clock.monotonic() >= this.#course.seconds * 1_000;
  }

  #arrive(): void {
    if (this.#isOver) return;
    this.#ask();
    this.#clock.after(exponential(this.#random, 1_000 / this.#course.rate(this.#clock.monotonic())), () =>
      this.#arrive(),
    );
  }

  #ask(): void {
    const request = { at: this.#clock.monotonic() };
    this.#line.push(request);
    this.#serve();
    this.#clock.after(this.#course.patienceMs, () => {
      const index = this.#line.indexOf(request);
      if (index !== -1) this.#line.splice(index, 1);
      if (index !== -1) this.#askAgain();
    });
  }

  #askAgain(): void {
    if (this.#course.crowd !== undefined && !this.#isOver) this.#ask();
  }

  #serve(): void {
    while (this.#line.length > 0 && this.#inUse < this.limit.value) this.#send(this.#line.shift()?.at ?? 0);
    this.#wasFull ||= this.#line.length > 0;
  }

  #send(arrivedAt: number): void {
    const sentAt = this.#clock.monotonic();
    this.#inUse += 1;
    const work = () => {
      this.#busy += 1;
      const { serviceMs } = this.#course;
      this.#clock.after(serviceMs(this.#random, this.#clock.monotonic(), this.#inUse), () => {
        this.#busy -= 1;
        this.#queue.shift()?.();
        this.#answer(arrivedAt, sentAt);
      });
    };
    if (this.#course.shared === true || this.#busy < this.#course.workers) work();
    else this.#queue.push(work);
  }

  #answer(arrivedAt: number, sentAt: number): void {
    const at = this.#clock.monotonic();
    this.#inUse -= 1;
    if (this.#random() < (this.#course.errors?.(at) ?? 0)) {
      this.#gatewayErrors += 1;
    } else {
      this.#answers += 1;
      this.#logMs += Math.log(Math.max(at - sentAt, 0.01));
      this.#served.push({ at, ms: at - arrivedAt });
    }
    this.#serve();
    this.#askAgain();
  }

  #look(): void {
    if (this.#isOver) return;
    const counts = { answers: this.#answers, logMs: this.#logMs, gatewayErrors: this.#gatewayErrors };
    this.limit.look({ ...counts, inUse: this.#inUse, wasFull: this.#wasFull }, this.#clock.monotonic());
    this.#wasFull = false;
    this.limits.push(this.limit.value);
    this.#serve();
    this.#clock.after(LOOK_MS, () => this.#look());
  }
}
