import assert from 'node:assert/strict';
import { it } from 'node:test';
import { AlertDispatcher } from '../../../pkg/alerts/dispatcher.ts';
import { ChannelRoster } from '../../../pkg/alerts/roster.ts';
import { WebhookChannelSchema } from '../../../pkg/alerts/schema.ts';
import { FakeLog, MemoryStore } from './support.ts';

const SETTINGS = { email: [], webhooks: [], allowedNetworks: [], groupWindow: 10, repeatAfter: 10 };

it('a dispatcher has the channels of the configuration and those that came through the API, whichever changes', async () => {
  const store = new MemoryStore();
  const dispatcher = new AlertDispatcher({ notifiers: [], log: new FakeLog(), store });
  const roster = new ChannelRoster(dispatcher, store, SETTINGS);
  const channels = async () => (await dispatcher.test()).map(({ channel }) => channel);
  const spec = { url: 'http://127.0.0.1:9/' }; // refused before anything is sent
  store.added.push({ name: 'chat', spec, webhook: WebhookChannelSchema.parse(spec), at: 0, by: 'ann' });
  assert.deepEqual(await channels(), []);
  await roster.follow();
  assert.deepEqual(await channels(), ['chat']);
  roster.configure({ ...SETTINGS, webhooks: [WebhookChannelSchema.parse({ url: 'http://127.0.0.1:1/' })] });
  assert.deepEqual(await channels(), ['webhook 127.0.0.1:1', 'chat']);
  store.away = true;
  await roster.follow();
  assert.deepEqual(await channels(), ['webhook 127.0.0.1:1', 'chat']);
  store.away = false;
  store.added.length = 0;
  await roster.follow();
  assert.deepEqual(await channels(), ['webhook 127.0.0.1:1']);
  dispatcher.close();
});
