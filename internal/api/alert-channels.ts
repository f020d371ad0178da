import { z } from 'zod';
import { type AddedChannel, WebhookSpecSchema } from '../../pkg/alerts/added-channel.ts';
import { WebhookChannelSchema } from '../../pkg/alerts/schema.ts';
import { type ChannelView, ChannelViewSchema } from '../model/alert-view.ts';
import { messageOf } from '../model/errors.ts';
import { type Description, json } from './description.ts';
import { differencesOf } from './differences.ts';
import { type Endpoint, endpoint, NoInput, Nothing } from './endpoint.ts';
import { CHANNEL } from './examples.ts';
import { invalid } from './input.ts';
import type { Alerts, Manager } from './manager.ts';
import { sendJson } from './respond.ts';

const NAME_EXPECTED = 'expected 1 to 63 letters, digits, dots, dashes and underscores';
const ChannelBodySchema = z.strictObject({
  name: z.string(NAME_EXPECTED).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, NAME_EXPECTED),
  webhook: WebhookSpecSchema,
  by: z.string().max(300).default('api'),
});

const LIST = {
  tag: 'alerts',
  summary: 'List the channels that were added through the API',
  ...NoInput,
  answers: { 200: json('the channels', z.array(ChannelViewSchema), [CHANNEL]) },
  examples: [{}],
} as const satisfies Description;

const ADD = {
  tag: 'alerts',
  summary: 'Add a webhook beside those of the configuration',
  details:
    'In place of the one with the same name. It may not lead into private networks, unless the configuration allows it.',
  query: Nothing,
  body: ChannelBodySchema,
  writtenBody: ChannelBodySchema.extend({ webhook: WebhookChannelSchema }),
  answers: { 201: json('the channel; of its URL no more than whom it leads to', ChannelViewSchema, CHANNEL) },
  examples: [{ body: { name: 'chat', webhook: { url: 'https://example.org/hook', format: 'slack' } } }],
} as const satisfies Description;

const REMOVE = {
  tag: 'alerts',
  summary: 'Remove a channel',
  id: { name: 'name', what: 'the name of the channel', schema: z.string() },
  ...NoInput,
  answers: { 200: json('the channel that is gone', ChannelViewSchema, CHANNEL) },
  problems: ['CHANNEL_NOT_FOUND'],
  examples: [{ id: 'chat' }],
} as const satisfies Description;

/** `/alerts/channels`: webhooks beside those of the configuration. */
export function channelEndpoints(
  { book, guard, channelsChanged }: Alerts,
  { services }: Pick<Manager, 'services'>,
  now: () => number = Date.now,
): Endpoint[] {
  return [
    endpoint('GET', '/alerts/channels', LIST, async (_input, response) => {
      sendJson(response, (await book.channels()).map(channelView));
    }),
    endpoint('POST', '/alerts/channels', ADD, async ({ body, deed }, response) => {
      const { name, webhook, by } = body;
      assertKnown(webhook.webhook.services, await services.list());
      await guard()
        .check(new URL(webhook.webhook.url).hostname)
        .catch((error: unknown) => {
          throw invalid('body.webhook.url', messageOf(error));
        });
      const channel = { name, ...webhook, at: now(), by };
      const before = (await book.channels()).find((each) => each.name === name);
      await book.putChannel(channel);
      const words = `${before === undefined ? 'added' : 'replaced'} the alert channel ${name}`;
      deed.did(words, null, differencesOf(before === undefined ? {} : channelView(before), channelView(channel)));
      await channelsChanged();
      response.status(201).location(`/alerts/channels/${name}`);
      sendJson(response, channelView(channel));
    }),
    endpoint('DELETE', '/alerts/channels/:id', REMOVE, async ({ id, deed }, response) => {
      const channel = await book.removeChannel(id);
      deed.did(`removed the alert channel ${id}`, null, differencesOf(channelView(channel), {}));
      await channelsChanged();
      sendJson(response, channelView(channel));
    }),
  ];
}

/** Of the URL no more than whom it leads to: its path, like the secret and the fields, is a key to somebody's door. */
function channelView({ name, webhook, at, by }: AddedChannel): ChannelView {
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
