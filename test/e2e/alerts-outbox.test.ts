import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { MailReceiver, type ReceivedMessage, WebhookReceiver } from '../support/alert-receivers.ts';
import { ask } from '../support/e2e-http.ts';
import { System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

const mailTo = (port: number | undefined) => ({
  host: '127.0.0.1',
  port,
  encryption: 'none',
  from: 'heimdall@example.org',
  to: ['ops@example.org'],
});
const hookAt = (port: number | undefined) => ({ url: `http://127.0.0.1:${port}/alerts` });
const isRecovery = ({ subject }: ReceivedMessage) => /[Rr]esolved/.test(subject);

const SuccessorSchema = z.object({ successor: z.int() });

describe('a load balancer that is replaced while something is down', () => {
  it('leaves it to its successor, which repeats nothing and tells the recovery', async () => {
    await using system = await System.create(({ own }) => ({
      proxy: { threads: 1 },
      services: [{ name: 'web', servers: [`127.0.0.1:${own[0]}`], healthCheck: { interval: '250ms', timeout: '3s' } }],
      alerts: { webhooks: [hookAt(own[1])], groupWindow: '2s' },
    }));
    await using receiver = new WebhookReceiver(true);
    const [backendPort = 0, hookPort = 0] = system.ports.own;
    await receiver.listen(hookPort);
    system.start('load-balancer');
    await eventually('the message', () => receiver.taken.length > 0);
    const answer = await ask(`${system.admin}/reload`, { method: 'POST' });
    assert.equal(answer.status, 200, answer.body);
    const { successor } = SuccessorSchema.parse(JSON.parse(answer.body));
    system.backend(backendPort);
    await eventually('the recovery', () => receiver.taken.some(isRecovery));
    process.kill(successor, 'SIGTERM');
    await system.stop();
    assert.equal(receiver.taken.length, 2, JSON.stringify(receiver.taken));
  });
});

describe('a process that is killed between an event and its message', () => {
  it('the load balancer: the next one sends it, once to each channel under one id, and tells the recovery', async () => {
    await using system = await System.create(({ own }) => ({
      proxy: { threads: 1 },
      services: [{ name: 'web', servers: [`127.0.0.1:${own[0]}`], healthCheck: { interval: '250ms', timeout: '3s' } }],
      alerts: { webhooks: own.slice(1, 3).map(hookAt), email: [mailTo(own[3])], groupWindow: '200ms' },
    }));
    await using good = new WebhookReceiver(true);
    await using bad = new WebhookReceiver(false);
    await using mail = new MailReceiver(false);
    const all = [good, bad, mail];
    const [backendPort = 0, ...ports] = system.ports.own;
    await Promise.all(all.map((receiver, at) => receiver.listen(ports[at] ?? 0)));
    const killed = system.start('load-balancer');
    await eventually('one channel to have the message, the others to have refused it', () => {
      return good.taken.length > 0 && bad.refused.length > 0 && mail.refused.length > 0;
    });
    killed.kill('SIGKILL');
    await killed.exited;
    assert.match(good.taken[0]?.subject ?? '', /web has no healthy instance/);

    for (const receiver of all) receiver.accepts = true;
    await system.start('load-balancer').isReady();
    await eventually('the message to come from the next process', () => all.every(({ taken }) => taken.length > 0));
    system.backend(backendPort);
    await eventually('the recovery', () => all.every(({ taken }) => taken.some(isRecovery)));
    await system.stop();
    const [first, ...others] = all.map(({ taken }) => taken.map(({ id }) => id));
    for (const ids of others) assert.deepEqual(ids, first);
    assert.deepEqual(first, [...new Set(first)], 'nothing came twice');
    assert.equal(good.taken.filter((message) => !isRecovery(message)).length, 1, JSON.stringify(good.taken));
  });

  it('the manager: the next one sends it, and the history goes on', async () => {
    const services = [{ name: 'web', servers: ['127.0.0.1:9'] }];
    await using system = await System.create(({ own }) => ({
      services,
      alerts: { webhooks: [hookAt(own[0])], groupWindow: '200ms' },
    }));
    await using receiver = new WebhookReceiver(false);
    await receiver.listen(system.ports.own[0] ?? 0);
    const killed = system.start('server-manager');
    await killed.isReady();
    await system.configure({ services: 7 });
    await eventually('the message to be refused', () => receiver.refused.length > 0);
    killed.kill('SIGKILL');
    await killed.exited;

    receiver.accepts = true;
    await system.configure({ services });
    await system.start('server-manager').isReady();
    await eventually('the message to come from the next process', () => receiver.taken.length > 0);
    const { body } = await ask(`${system.api}/alerts?state=active`);
    assert.match(body, /"key": "config-refused/);
    await system.stop();
    assert.deepEqual(
      receiver.taken.map(({ id }) => id),
      receiver.refused.slice(0, 1).map(({ id }) => id),
    );
  });
});
