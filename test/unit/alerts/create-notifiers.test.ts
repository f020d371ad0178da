import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { it } from 'node:test';
import { createNotifiers } from '../../../pkg/alerts/create-notifiers.ts';
import { renderTest } from '../../../pkg/alerts/render.ts';
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

it('names the installation in every message, where it has a name', async () => {
  const received: { subject: string; site?: string }[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      received.push(body as { subject: string });
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const webhooks = [WebhookChannelSchema.parse({ url: `http://127.0.0.1:${port}/`, severity: 'critical' })];
  for (const site of ['berlin', undefined]) {
    const [notifier] = createNotifiers({ email: [], webhooks, allowedNetworks: [], site });
    assert.equal(notifier?.filter?.severity, 'critical');
    await notifier.send(renderTest(0, 'id'), new AbortController().signal);
  }
  server.close();
  const [named, unnamed] = received;
  assert.match(named?.subject ?? '', /^berlin: Test alert/);
  assert.match(unnamed?.subject ?? '', /^Test alert/);
  assert.deepEqual([named?.site, unnamed && 'site' in unnamed], ['berlin', false]);
});
