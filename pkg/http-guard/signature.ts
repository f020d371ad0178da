import { createHmac, timingSafeEqual } from 'node:crypto';

/** Stands in for the token where a request may be signed with it: the token itself does not travel. */
export const SIGNATURE_FIELD = 'Heimdall-Signature';
/** How far the clocks of both ends may be apart, and how long a request may be on its way; milliseconds. */
export const SIGNATURE_WINDOW_MS = 30_000;
const FORMAT = /^t=(\d{1,15}),v1=([A-Za-z0-9_-]{43})$/;

export interface SignedParts {
  /** In capitals. */
  readonly method: string;
  /** The path as it is sent, with the query. */
  readonly target: string;
  readonly body: Uint8Array | string;
}

/** Why a signature is not good. */
export interface SignatureRefusal {
  readonly kind: 'signature-malformed' | 'signature-wrong' | 'signature-old' | 'signature-used';
  readonly detail: string;
}

/**
 * The value of the field: `t=<time>,v1=<HMAC-SHA256 in base64url>` over `heimdall-v1`, method, target and time, each with a
 * line feed, and the body.
 * @param time - epoch milliseconds. @param key - the token.
 */
export function signatureOf(parts: SignedParts, time: number, key: string): string {
  return `t=${time},v1=${digestOf(parts, time, key)}`;
}

/** Judges signatures, and takes each of them once only. */
export class SignatureJudge {
  readonly #clock: () => number;
  /** Those that were good, in the order in which they came, with the time from which they are too old anyway. */
  readonly #used = new Map<string, number>();

  /** @param clock - epoch milliseconds. */
  constructor(clock: () => number = Date.now) {
    this.#clock = clock;
  }

  /** @param field - its value. @returns null: it is good. */
  refusalOf(field: string, parts: SignedParts, key: string): SignatureRefusal | null {
    const [, stamp = '', signature = ''] = FORMAT.exec(field) ?? [];
    if (signature === '') {
      const detail = `${SIGNATURE_FIELD}: expected t=<epoch milliseconds>,v1=<HMAC-SHA256 in base64url>.`;
      return { kind: 'signature-malformed', detail };
    }
    const time = Number(stamp);
    // As text: several texts stand for the same octets, and another one of them would be good once more.
    if (!timingSafeEqual(Buffer.from(digestOf(parts, time, key)), Buffer.from(signature))) {
      const detail = 'The signature does not fit: the token is another one, or the request was changed on its way.';
      return { kind: 'signature-wrong', detail };
    }
    return this.#ageRefusal(time) ?? this.#secondUseRefusal(signature, time);
  }

  #ageRefusal(time: number): SignatureRefusal | null {
    const offset = this.#clock() - time;
    if (Math.abs(offset) <= SIGNATURE_WINDOW_MS) return null;
    const where = `${Math.round(Math.abs(offset) / 1_000)} s ${offset > 0 ? 'behind' : 'ahead of'}`;
    const detail = `The time of the signature is ${where} the clock of this manager: set the clocks of both machines (NTP).`;
    return { kind: 'signature-old', detail };
  }

  #secondUseRefusal(signature: string, time: number): SignatureRefusal | null {
    const now = this.#clock();
    for (const [known, until] of this.#used) {
      if (until >= now) break;
      this.#used.delete(known);
    }
    if (this.#used.has(signature)) return { kind: 'signature-used', detail: 'This signed request has come before.' };
    this.#used.set(signature, Math.max(time, now) + SIGNATURE_WINDOW_MS);
    return null;
  }
}

/** In base64url. */
function digestOf({ method, target, body }: SignedParts, time: number, key: string): string {
  const hmac = createHmac('sha256', key).update(`heimdall-v1\n${method}\n${target}\n${time}\n`).update(body);
  return hmac.digest('base64url');
}
