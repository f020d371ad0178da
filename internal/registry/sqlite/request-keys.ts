import { z } from 'zod';
import {
  type ClaimedRequest,
  type KeptAnswer,
  KeptAnswerSchema,
  MOST_ANSWER_BYTES,
  MOST_REQUEST_KEYS,
  REQUEST_KEY_MS,
  type RequestClaim,
  type RequestKeys,
} from '../request-keys.ts';
import type { Connection } from './connection.ts';
import type { Handle } from './handle.ts';
import { json, parseRow } from './rows.ts';

const ClaimedRowSchema = z.object({
  fingerprint: z.string(),
  answer: json(KeptAnswerSchema).nullable(),
  claimant: z.string(),
});
const RequestRowSchema = z.object({
  owner: z.string(),
  key: z.string(),
  fingerprint: z.string(),
  at: z.int(),
  answer: json(KeptAnswerSchema).nullable(),
});
const BytesRowSchema = z.object({ bytes: z.int() });

export class SqliteRequestKeys implements RequestKeys {
  readonly #connection: Connection;
  /** Epoch milliseconds. */
  readonly #clock: () => number;
  /** Tells this handle from those before it. */
  readonly #claimant: string;

  constructor(connection: Connection, clock: () => number, claimant: string) {
    this.#connection = connection;
    this.#clock = clock;
    this.#claimant = claimant;
  }

  claim({ owner, key, fingerprint }: RequestClaim): Promise<ClaimedRequest | null> {
    return this.#connection.write((handle) => {
      const now = this.#clock();
      handle.run('DELETE FROM request_keys WHERE at < ?', now - REQUEST_KEY_MS);
      const known = readClaimed(handle, owner, key);
      if (known !== null) {
        const { claimant, ...claimed } = known;
        return { ...claimed, isOurs: claimant === this.#claimant };
      }
      handle.run(
        `DELETE FROM request_keys WHERE rowid IN
           (SELECT rowid FROM request_keys ORDER BY at DESC, rowid DESC LIMIT -1 OFFSET ?)`,
        MOST_REQUEST_KEYS - 1,
      );
      handle.run(
        'INSERT INTO request_keys (owner, key, fingerprint, at, claimant) VALUES (?, ?, ?, ?, ?)',
        owner,
        key,
        fingerprint,
        now,
        this.#claimant,
      );
      return null;
    });
  }

  settle({ owner, key, fingerprint }: RequestClaim, answer: KeptAnswer): Promise<void> {
    return this.#connection.write((handle) => {
      handle.run(
        'UPDATE request_keys SET answer = ? WHERE owner = ? AND key = ? AND fingerprint = ?',
        JSON.stringify(answer),
        owner,
        key,
        fingerprint,
      );
      while (answerBytes(handle) > MOST_ANSWER_BYTES) {
        handle.run(
          'DELETE FROM request_keys WHERE rowid = (SELECT rowid FROM request_keys ORDER BY at, rowid LIMIT 1)',
        );
      }
    });
  }

  giveUp({ owner, key, fingerprint }: RequestClaim): Promise<void> {
    return this.#connection.write((handle) => {
      handle.run(
        "UPDATE request_keys SET claimant = '' WHERE owner = ? AND key = ? AND fingerprint = ? AND answer IS NULL",
        owner,
        key,
        fingerprint,
      );
    });
  }

  release({ owner, key, fingerprint }: RequestClaim): Promise<void> {
    return this.#connection.write((handle) => {
      handle.run(
        'DELETE FROM request_keys WHERE owner = ? AND key = ? AND fingerprint = ? AND answer IS NULL',
        owner,
        key,
        fingerprint,
      );
    });
  }
}

/** All, oldest first. */
export function readRequests(handle: Handle): z.infer<typeof RequestRowSchema>[] {
  const rows = handle.all('SELECT owner, key, fingerprint, at, answer FROM request_keys ORDER BY at, rowid');
  return rows.map((row) => parseRow('request_keys', RequestRowSchema, row));
}

function answerBytes(handle: Handle): number {
  return BytesRowSchema.parse(handle.get('SELECT coalesce(sum(octet_length(answer)), 0) AS bytes FROM request_keys'))
    .bytes;
}

function readClaimed(handle: Handle, owner: string, key: string): z.infer<typeof ClaimedRowSchema> | null {
  const row = handle.get(
    'SELECT fingerprint, answer, claimant FROM request_keys WHERE owner = ? AND key = ?',
    owner,
    key,
  );
  return row === undefined ? null : parseRow('request_keys', ClaimedRowSchema, row);
}
