import type { RateLimit } from '../../model/rate-limit.ts';
import type { AnswerDetails } from '../answer.ts';
import type { RawFields } from '../fields.ts';
import type { BalancedRequest } from '../request-context.ts';
import type { Accounts } from './accounts.ts';
import { addressKey } from './address-key.ts';
import { type Rule, ruleOf, type Verdict, verdictOf } from './gcra.ts';
import type { HalfSipHash } from './half-sip-hash.ts';
import type { Tallies, Tally } from './tallies.ts';

/** How a request that is one too many is answered, and what the log says of it. */
export const RATE_LIMITED = { status: 429, termination: 'rate-limited', refusal: 'rate-limited' } as const;

/** What makes clients of requests: hashes that differ from limit to limit, and nobody can foresee. */
interface ClientHashes {
  readonly ofAddress: HalfSipHash;
  /** Another one than for addresses: nobody can pass a header off for somebody's address. */
  readonly ofValue: HalfSipHash;
}

export interface LimiterParts {
  readonly accounts: Accounts;
  readonly tallies: Tallies;
  /** Where it counts; null: nowhere, since it is configured no more. */
  readonly place: number | null;
  readonly hashes: ClientHashes;
  /** Milliseconds of the monotonic clock that all threads share. */
  readonly now: () => number;
}

/** The limit of one route, as one thread applies it. All it remembers is in the shared memory. */
export class RateLimiter {
  readonly #rule: Rule;
  /** In lower case; null: clients are told apart by their addresses alone. */
  readonly #header: string | null;
  /** By which clients know the limit: the path of its route, as a string of RFC 9651. */
  readonly #name: string;
  readonly #policy: string;
  readonly #parts: LimiterParts;

  /** @param path - of the route. */
  constructor(limit: RateLimit, path: string, parts: LimiterParts) {
    this.#rule = ruleOf(limit);
    this.#header = limit.key === 'ip' ? null : limit.key.slice('header:'.length).toLowerCase();
    this.#name = `"${encodeURI(path.toWellFormed())}"`;
    this.#policy = `${this.#name};q=${limit.requests};w=${limit.per / 1_000}`;
    this.#parts = parts;
  }

  /** Counts a request, unless it is one too many. */
  check(request: Pick<BalancedRequest, 'clientAddress' | 'field'>): Verdict {
    const { accounts, tallies, place, hashes, now } = this.#parts;
    const value = this.#header === null ? undefined : request.field(this.#header);
    const client = value ? hashes.ofValue.digest(value) : hashes.ofAddress.digest(addressKey(request.clientAddress));
    const verdict = verdictOf(accounts.charge(client, now(), this.#rule), this.#rule);
    if (place !== null) tallies.count(place, verdict.granted);
    return verdict;
  }

  /** What the client is told of its limit (draft-ietf-httpapi-ratelimit-headers-11). */
  fieldsFor(verdict: Verdict): RawFields {
    return ['RateLimit-Policy', this.#policy, 'RateLimit', this.#stateOf(verdict)];
  }

  /** The same as lines of a head, each with its end. */
  linesFor(verdict: Verdict): string {
    return `RateLimit-Policy: ${this.#policy}\r\nRateLimit: ${this.#stateOf(verdict)}\r\n`;
  }

  #stateOf(verdict: Verdict): string {
    return `${this.#name};r=${verdict.remaining};t=${secondsOf(verdict)}`;
  }

  /** For the answer to a request that is one too many. */
  detailsFor(verdict: Verdict): AnswerDetails {
    return { retryAfter: secondsOf(verdict), fields: this.fieldsFor(verdict) };
  }

  /** In all threads. */
  get tally(): Tally {
    const { tallies, place } = this.#parts;
    return place === null ? { granted: 0, refused: 0 } : tallies.of(place);
  }
}

function secondsOf({ waitMs }: Verdict): number {
  return Math.max(Math.ceil(waitMs / 1_000), 1);
}
