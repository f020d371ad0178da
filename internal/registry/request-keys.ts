import { z } from 'zod';

/** How long a key is kept, in milliseconds. */
export const REQUEST_KEY_MS = 24 * 3_600_000;
/** More keys than that are not kept: the oldest are forgotten first. */
export const MOST_REQUEST_KEYS = 5_000;
/** Nor are more octets of answers, for the same reason: an answer about 200 instances has 90 kB. */
export const MOST_ANSWER_BYTES = 32 * 1024 ** 2;

/** A request that must not be carried out twice, whoever sends it again. */
export interface RequestClaim {
  /** Whose key it is: the keys of different owners never meet. */
  readonly owner: string;
  readonly key: string;
  /** Tells one request from another under the same key. */
  readonly fingerprint: string;
}

/** An answer to be given again. */
export const KeptAnswerSchema = z.object({
  status: z.int(),
  fields: z.record(z.string(), z.string()),
  body: z.string(),
});
export type KeptAnswer = Readonly<z.infer<typeof KeptAnswerSchema>>;

/** What is known of a key that was claimed before. */
export interface ClaimedRequest {
  readonly fingerprint: string;
  /** Null: it is under way, or nobody will ever know what came of it. */
  readonly answer: KeptAnswer | null;
  /** Whether it was claimed through this handle, which has not given it up; without an answer, one that was not will get none. */
  readonly isOurs: boolean;
}

/** Remembers requests by their keys, over the ends of managers. */
export interface RequestKeys {
  /** @returns null when the key is this request's from now on; otherwise what is known of it, and nothing has changed. */
  claim(claim: RequestClaim): Promise<ClaimedRequest | null>;
  /** Keeps the answer; a key that is not known any more is no error. */
  settle(claim: RequestClaim, answer: KeptAnswer): Promise<void>;
  /** Nobody will ever know what came of it: from now on it is nobody's. */
  giveUp(claim: RequestClaim): Promise<void>;
  /** Forgets a key without an answer, as if it had never been claimed. */
  release(claim: RequestClaim): Promise<void>;
}
