import { createHmac } from 'node:crypto';
import type { Notification } from './alert.ts';
import { DeliveryError, type Notifier } from './notifier.ts';
import { post, type PostAnswer } from './post.ts';
import type { TargetGuard } from './target-guard.ts';
import { clip, formatDuration } from './words.ts';
import type { ChannelFilter, WebhookChannel } from './schema.ts';
import { webhookBodies } from './webhook-body.ts';

/** How much of a refusal's body is quoted. */
const QUOTED_CHARACTERS = 200;
const RETRYABLE_STATUSES = new Set([408, 425, 429]);

/** Posts messages to a URL; follows no redirect, because the body and its signature are meant for that URL alone. */
export class WebhookNotifier implements Notifier {
  readonly name: string;
  readonly filter: ChannelFilter;
  readonly #channel: WebhookChannel;
  readonly #guard: TargetGuard | null;
  readonly #now: () => number;

  /**
   * @param guard - whom the URL must not lead to; null: anybody, for whoever writes the configuration may do as he likes.
   * @param now - epoch milliseconds, for the timestamp that is signed.
   */
  constructor(channel: WebhookChannel, guard: TargetGuard | null = null, now: () => number = Date.now) {
    this.name = `webhook ${new URL(channel.url).host}`;
    this.#guard = guard;
    this.filter = channel;
    this.#channel = channel;
    this.#now = now;
  }

  /**
   * Makes one request, or several where the receiver takes one alert at a time; those may come again after a failure.
   * @throws {DeliveryError} retryable: no answer, 408, 425, 429 and 5xx.
   */
  async send(notification: Notification, signal: AbortSignal): Promise<void> {
    for (const body of webhookBodies(this.#channel, notification)) await this.#post(body, notification.id, signal);
  }

  async #post(body: string, id: string, signal: AbortSignal): Promise<void> {
    const { url, timeout } = this.#channel;
    const limit = AbortSignal.timeout(timeout);
    try {
      const answer = await post(url, body, {
        headers: this.#headers(body, id),
        signal: AbortSignal.any([signal, limit]),
        guard: this.#guard,
      });
      if (answer.status < 200 || answer.status > 299) throw refusal(answer);
    } catch (error) {
      if (error instanceof DeliveryError) throw error;
      const reason = limit.aborted ? `no answer within ${formatDuration(timeout)}` : reasonOf(error);
      throw new DeliveryError(reason, { retryable: true, cause: error });
    }
  }

  #headers(body: string, id: string): Record<string, string> {
    const { headers, secret } = this.#channel;
    const all = { ...headers, 'content-type': 'application/json', 'x-heimdall-id': id };
    if (secret === undefined) return all;
    const timestamp = String(Math.floor(this.#now() / 1_000));
    const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    return { ...all, 'x-heimdall-timestamp': timestamp, 'x-heimdall-signature': `sha256=${signature}` };
  }
}

function refusal({ status, retryAfter, beginning }: PostAnswer): DeliveryError {
  const quote = clip(beginning.replace(/[\s\p{Cc}]+/gu, ' ').trim(), QUOTED_CHARACTERS);
  return new DeliveryError(`status ${status}${quote && `: ${quote}`}`, {
    retryable: status >= 500 || RETRYABLE_STATUSES.has(status),
    retryAfterMs: retryAfterMs(retryAfter),
  });
}

/** The seconds of a Retry-After field (RFC 9110, 10.2.3) in milliseconds; 0 for a date or none. */
function retryAfterMs(field: string | null): number {
  return field !== null && /^\d{1,6}$/.test(field) ? Number(field) * 1_000 : 0;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
