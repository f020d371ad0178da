import { createHmac } from 'node:crypto';
import type { Notification } from './alert.ts';
import { DeliveryError, type Notifier } from './notifier.ts';
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
  readonly #now: () => number;

  /** @param now - epoch milliseconds, for the timestamp that is signed. */
  constructor(channel: WebhookChannel, now: () => number = Date.now) {
    this.name = `webhook ${new URL(channel.url).host}`;
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
      const response = await fetch(url, {
        method: 'POST',
        body,
        headers: this.#headers(body, id),
        redirect: 'manual',
        signal: AbortSignal.any([signal, limit]),
      });
      if (!response.ok) throw await refusal(response);
      await response.body?.cancel();
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

async function refusal(response: Response): Promise<DeliveryError> {
  const { status } = response;
  const quote = await beginningOf(response);
  return new DeliveryError(`status ${status}${quote && `: ${quote}`}`, {
    retryable: status >= 500 || RETRYABLE_STATUSES.has(status),
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
  });
}

/** Reads no more of the body than is quoted: it may have no end. */
async function beginningOf(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > QUOTED_CHARACTERS) break;
  }
  return clip(text.replace(/[\s\p{Cc}]+/gu, ' ').trim(), QUOTED_CHARACTERS);
}

/** The seconds of a Retry-After field (RFC 9110, 10.2.3) in milliseconds; 0 for a date or none. */
function retryAfterMs(field: string | null): number {
  return field !== null && /^\d{1,6}$/.test(field) ? Number(field) * 1_000 : 0;
}

/** `fetch failed` alone says nothing: the network's own words are in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return cause.message || ('code' in cause ? String(cause.code) : error.message);
}
