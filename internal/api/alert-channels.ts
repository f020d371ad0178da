import { z } from 'zod';
import { type AddedChannel, WebhookSpecSchema } from '../../pkg/alerts/added-channel.ts';
import { messageOf } from '../model/errors.ts';
import { type Endpoint, endpoint, Nothing } from './endpoint.ts';
import { invalid } from './input.ts';
import type { Alerts, Manager } from './manager.ts';
import { sendJson } from './respond.ts';

const NAME_EXPECTED = 'expected 1 to 63 letters, digits, dots, dashes and underscores';
const ChannelBodySchema = z.strictObject({
  name: z.string(NAME_EXPECTED).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, NAME_EXPECTED),
  webhook: WebhookSpecSchema,
  by: z.string().max(300).default('api'),
});

/** `/alerts/channels`: webhooks beside those of the configuration. */
export function channelEndpoints(
  { book, guard, channelsChanged }: Alerts,
  { services }: Pick<Manager, 'services'>,
  now: () => number = Date.now,
): Endpoint[] {
  const nothing = { query: Nothing, body: Nothing };
  return [
    endpoint('GET', '/alerts/channels', nothing, async (_input, response) => {
      sendJson(response, (await book.channels()).map(channelView));
    }),
    endpoint('POST', '/alerts/channels', { query: Nothing, body: ChannelBodySchema }, async ({ body }, response) => {
      const { name, webhook, by } = body;
      assertKnown(webhook.webhook.services, await services.list());
      await guard()
        .check(new URL(webhook.webhook.url).hostname)
        .catch((error: unknown) => {
          throw invalid('body.webhook.url', messageOf(error));
        });
      const channel = { name, ...webhook, at: now(), by };
      await book.putChannel(channel);
      await channelsChanged();
      response.status(201).location(`/alerts/channels/${name}`);
      sendJson(response, channelView(channel));
    }),
    endpoint('DELETE', '/alerts/channels/:id', nothing, async ({ id }, response) => {
      const channel = await book.removeChannel(id);
      await channelsChanged();
      sendJson(response, channelView(channel));
    }),
  ];
}

/** Of the URL no more than whom it leads to: its path, like the secret and the fields, is a key to somebody's door. */
function channelView({ name, webhook, at, by }: AddedChannel) {
  const { url, format, severity, services } = webhook;
  const { protocol, host } = new URL(url);
  return { name, target: `${protocol}//${host}`, format, severity, services, at: new Date(at).toISOString(), by };
}

/** A channel that waits for a service that does not exist would never hear of the one that was meant. @throws {HeimdallError} INVALID_REQUEST */
function assertKnown(names: readonly string[], services: readonly { readonly name: string }[]): void {
  const known = services.map(({ name }) => name);
  const index = names.findIndex((name) => !known.includes(name));
  if (index === -1) return;
  throw invalid(
    `body.webhook.services.${index}`,
    `there is no service "${names[index]}"; configured: ${known.join(', ') || 'none'}`,
  );
}
