import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createNotifiers } from '../../../pkg/alerts/create-notifiers.ts';
import { EmailChannelSchema, WebhookChannelSchema } from '../../../pkg/alerts/schema.ts';

it('names notifiers by whom they reach, without paths and secrets, and no two alike', () => {
  const from = 'heimdall@example.org';
  const email = [
    EmailChannelSchema.parse({ host: 'mail.example.org', from, to: ['ops@example.org'] }),
    EmailChannelSchema.parse({ host: 'mail.example.org', from, to: ['a@example.org', 'b@example.org'] }),
  ];
  const webhooks = [
    'https://hooks.example.org/T0/s3cret?token=x',
    'https://hooks.example.org/T1',
    'http://[::1]:8099/',
  ];
  const ofFile = { email, webhooks: webhooks.map((url) => WebhookChannelSchema.parse({ url })), allowedNetworks: [] };
  const spec = { url: 'https://chat.example.org/T9' };
  const chat = { name: 'chat', spec, webhook: WebhookChannelSchema.parse(spec), at: 0, by: 'ann' };
  const notifiers = createNotifiers(ofFile, [chat]);
  assert.deepEqual(
    notifiers.map(({ name }) => name),
    [
      'email to ops@example.org',
      'email to a@example.org and 1 more',
      'webhook hooks.example.org',
      'webhook hooks.example.org #2',
      'webhook [::1]:8099',
      'chat',
    ],
  );
});
