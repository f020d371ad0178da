import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createClient } from '../../../internal/client/client.ts';
import type { Action } from '../../../internal/dashboard/action/action.ts';
import { endSilence, silenceAlert, testChannels } from '../../../internal/dashboard/action/alert-actions.ts';
import { variablesOf, wholeNumberOf } from '../../../internal/dashboard/action/input.ts';
import { addInstances, removeInstance, weighInstance } from '../../../internal/dashboard/action/instance-actions.ts';
import {
  changeSettings,
  deployService,
  restartService,
  rollbackService,
  scaleService,
} from '../../../internal/dashboard/action/service-actions.ts';
import type { AlertView } from '../../../internal/model/alert-view.ts';
import { liveInstance, liveService, NO_TRAFFIC } from '../../support/live-state.ts';

/** What an action sends when it is confirmed with the values that it offers, but for those given. */
async function sentBy(action: Action, changes: Readonly<Record<string, string>> = {}, answer: unknown = []) {
  const sent: string[] = [];
  const client = createClient({
    baseUrl: '',
    fetch: async (url, request) => {
      assert.ok(typeof url === 'string');
      sent.push(`${request?.method} ${url} ${typeof request?.body === 'string' ? request.body : ''}`.trim());
      return Response.json(answer);
    },
  });
  const offered = Object.fromEntries(action.fields.map(({ name, value }) => [name, value]));
  await action.run(client, { ...offered, ...changes });
  return sent;
}

const WEB = liveService('web', { desired: 3, weight: 2 });
const ALERT = { id: '7', key: 'instance-down:a', title: 'a is down', service: 'web', instance: 'a' };

describe('the actions of the dashboard', () => {
  it('send what was confirmed', async () => {
    const instance = liveInstance({ id: 'web-9001-x', port: 9_001 });
    assert.deepEqual(await sentBy(addInstances(WEB, new Set()), { count: '2' }), [
      'POST /servers/add {"service":"web","count":2,"weight":2}',
    ]);
    assert.deepEqual(await sentBy(removeInstance(instance, 2)), ['DELETE /servers/remove?id=web-9001-x']);
    assert.deepEqual(await sentBy(weighInstance(instance), { weight: '5' }), [
      'PATCH /servers/web-9001-x {"weight":5}',
    ]);
    assert.deepEqual(await sentBy(scaleService(WEB), { instances: '5' }), ['POST /services/web/scale {"instances":5}']);
    assert.deepEqual(
      await sentBy(deployService(WEB, ['v2'], []), { version: ' v2 ', env: 'A=1\n\nB=x=y' }, { id: 3 }),
      ['POST /services/web/deploy {"version":"v2","env":{"A":"1","B":"x=y"}}'],
    );
  });

  it('change only the settings that are others', async () => {
    assert.deepEqual(await sentBy(changeSettings(WEB), { algorithm: 'least-time' }), [
      'PATCH /services/web {"algorithm":"least-time"}',
    ]);
    assert.deepEqual(await sentBy(changeSettings({ ...WEB, maxConnections: 9 }), { maxConnections: '' }), [
      'PATCH /services/web {"maxConnections":null}',
    ]);
  });

  it('silence what was chosen, and end a silence', async () => {
    const alert = ALERT as AlertView;
    let name = '';
    const action = silenceAlert(alert, () => name);
    name = 'ann'; // typed in the dialog of this very action
    assert.deepEqual(await sentBy(action, { scope: 'service', for: '4h', comment: 'moving' }), [
      'POST /alerts/silences {"match":{"service":"web"},"for":"4h","by":"ann","comment":"moving"}',
    ]);
    const silence = { id: 4, match: { service: 'web' }, createdAt: '', until: '', by: '', comment: '' };
    assert.deepEqual(await sentBy(endSilence(silence)), ['DELETE /alerts/silences/4']);
  });

  it('tell which channels did not take a trial alert', async () => {
    const mail = { channel: 'mail', ok: true, durationMs: 9 };
    assert.deepEqual(await sentBy(testChannels(), {}, [mail]), ['POST /alerts/test']);
    const chat = { channel: 'chat', ok: false, error: 'connect ECONNREFUSED', durationMs: 1 };
    await assert.rejects(sentBy(testChannels(), {}, [mail, chat]), {
      message: 'Not delivered. chat: connect ECONNREFUSED',
    });
  });

  it('tell before what will happen', () => {
    const busy = liveInstance({ id: 'web-9001-x' }, { traffic: { ...NO_TRAFFIC, inFlight: 4 } });
    assert.match(
      removeInstance(busy, 1).meaning({}),
      /4 requests in flight may finish.*1 healthy instance of web remains/,
    );
    assert.match(scaleService(WEB).meaning({ instances: '1' }), /From 3 to 1: 2 instances drained/);
    assert.match(scaleService(WEB).meaning({ instances: '0' }), /Nobody answers/);
    assert.match(addInstances(WEB, new Set()).meaning({ count: '1' }), /^One more process starts/);
  });

  it('tell through which nodes a deployment goes', () => {
    const node = (name: string, alive = true, services = ['web']) => ({ name, alive, services });
    const nodes = [node('a'), node('b', false), node('c'), node('d', true, ['api'])];
    const told = /One node after another: a, then c\..*those after it keep what they run\. Left out, as away: b\./;
    for (const action of [deployService(WEB, [], nodes), restartService(WEB, nodes), rollbackService(WEB, nodes)]) {
      assert.match(action.meaning({}), told);
    }
    assert.doesNotMatch(deployService(WEB, [], [node('a')]).meaning({}), /node/);
  });
});

describe('what is typed', () => {
  it('is refused with its place when it makes no sense', () => {
    assert.throws(() => variablesOf('A=1\nnonsense'), /line 2: expected NAME=value/);
    for (const text of ['', '0', '101', '1.5', '1e1', 'x'])
      assert.throws(() => wholeNumberOf(text, 'How many', 1, 100), /How many: expected a whole number from 1 to 100/);
    assert.equal(wholeNumberOf('100', 'How many', 1, 100), 100);
  });
});
