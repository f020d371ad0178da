import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { createServer } from '../../pkg/sockets/http.ts';
import { mailServer } from '../support/alert-receivers.ts';
import type { PortBlock } from '../support/e2e-ports.ts';
import { ask } from '../support/e2e-http.ts';
import { Load } from '../support/e2e-load.ts';
import type { StartedProcess } from '../support/e2e-process.ts';
import { sampleService, System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

const SECRET = 'a secret shared with the receiver';
/** The last check of a process that was killed found nobody, or was itself cut off. */
const KILLED = /ECONNREFUSED|connection (?:reset|closed)/;

interface Hook {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const HookSchema = z.object({
  subject: z.string(),
  alerts: z.array(z.object({ state: z.enum(['firing', 'resolved']), title: z.string(), cause: z.string().nullable() })),
});
const AlertsSchema = z.array(
  z.object({
    key: z.string(),
    silenced: z.boolean(),
    announced: z.boolean(),
    acknowledged: z.object({ by: z.string() }).nullable(),
  }),
);
const SilenceSchema = z.object({ id: z.int() });
const TestSchema = z.array(z.object({ channel: z.string(), ok: z.boolean(), error: z.string().optional() }));

/** @param mailPorts - of the SMTP servers; nobody listens on the second. */
function channels({ own }: PortBlock, mailPorts: readonly number[]) {
  const mailbox = { host: '127.0.0.1', encryption: 'none', from: 'heimdall@example.org', to: ['ops@example.org'] };
  return {
    email: mailPorts.map((port) => ({ ...mailbox, port })),
    webhooks: [{ url: `http://127.0.0.1:${own[3]}/alerts`, secret: SECRET }],
    groupWindow: '300ms',
    allowedNetworks: ['127.0.0.1'],
  };
}

describe('alerts', () => {
  const mails: string[] = [];
  const hooks: Hook[] = [];
  const smtp = mailServer((mail) => {
    mails.push(mail.replaceAll(/=\r\n|\r\n(?=[ \t])/g, '')); // long lines are folded
    return true;
  });
  const receiver = createServer((request, response) => {
    void text(request).then((body) => {
      hooks.push({ headers: request.headers, body });
      response.end();
    });
  });
  let system: System;
  let manager: StartedProcess;
  let backend: StartedProcess;

  before(async () => {
    system = await System.create((ports) => ({
      services: [
        sampleService({
          instances: 1,
          servers: [`127.0.0.1:${ports.own[0]}`],
          outlierDetection: { enabled: false },
        }),
      ],
      alerts: channels(ports, ports.own.slice(1, 3)),
    }));
    const [external = 0, mailPort = 0, , hookPort = 0] = system.ports.own;
    await Promise.all([
      once(smtp.listen(mailPort, '127.0.0.1'), 'listening'),
      once(receiver.listen(hookPort, '127.0.0.1'), 'listening'),
    ]);
    backend = system.backend(external);
    ({ manager } = await system.startBoth(2));
  });
  after(async () => {
    await system.stop(); // before the receivers: what is still to be told gets through
    await Promise.all([
      new Promise<void>((resolve) => smtp.close(() => resolve())),
      new Promise<void>((resolve) => receiver.close(() => resolve())),
    ]);
    await system[Symbol.asyncDispose]();
  });

  function mailAbout(subject: RegExp): Promise<string> {
    const told = () => mails.map((mail) => /^Subject: (.*)\r$/m.exec(mail)?.[1]).join('\n');
    return eventually(
      () => `a mail about ${subject}, but about\n${told()}`,
      () => mails.find((mail) => subject.test(mail)),
    );
  }

  function hookAbout(subject: RegExp): Promise<Hook> {
    const found = ({ body }: Hook) => subject.test(HookSchema.parse(JSON.parse(body)).subject);
    return eventually(`a webhook about ${subject}`, () => hooks.find(found));
  }

  for (const [which, base] of [
    ['manager', () => system.api],
    ['load balancer', () => system.admin],
  ] as const) {
    it(`are tried out by POST /alerts/test of the ${which}, which tells how each channel fared`, async () => {
      const trialMails = () => mails.filter((mail) => /^Subject: .*Test alert from heimdall/m.test(mail)).length;
      const trialHooks = () => hooks.filter(({ body }) => body.includes('Test alert from heimdall')).length;
      const before = [trialMails(), trialHooks()];
      const answer = await ask(`${base()}/alerts/test`, { method: 'POST' });
      assert.equal(answer.status, 200, answer.body);
      const results = TestSchema.parse(JSON.parse(answer.body));
      assert.deepEqual(
        results.map(({ ok }) => ok),
        [true, false, true],
      );
      assert.match(results[1]?.error ?? '', /ECONNREFUSED/);
      assert.deepEqual(
        [trialMails(), trialHooks()],
        before.map((count) => count + 1),
      );
    });
  }

  it('go out by mail and webhook when a server dies and when it is back, whatever a dead channel does', async () => {
    const [external = 0] = system.ports.own;
    const name = `web@127.0.0.1:${external}`;
    const load = new Load(system.proxy, 3);
    try {
      backend.kill('SIGKILL');
      const mail = await mailAbout(new RegExp(`^Subject: .*${name} is down`, 'm'));
      assert.match(mail, /^To: ops@example\.org\r$/m);
      assert.match(mail, KILLED);
      const down = await hookAbout(new RegExp(`${name} is down`));
      const [alert] = HookSchema.parse(JSON.parse(down.body)).alerts;
      assert.equal(alert?.state, 'firing');
      assert.match(alert?.cause ?? '', KILLED);
      const timestamp = String(down.headers['x-heimdall-timestamp']);
      const signature = createHmac('sha256', SECRET).update(`${timestamp}.${down.body}`).digest('hex');
      assert.equal(down.headers['x-heimdall-signature'], `sha256=${signature}`);

      backend = system.backend(external);
      const resolved = new RegExp(`Resolved after .*${name} is down`);
      assert.match(await mailAbout(resolved), /RESOLVED after/);
      const up = await hookAbout(resolved);
      assert.equal(HookSchema.parse(JSON.parse(up.body)).alerts[0]?.state, 'resolved');
      await load.reaches(`backend-${external}`);
    } finally {
      await load.stop();
    }
    assert.deepEqual(load.failures, []);
  });

  it('tell that a service has no healthy instance left', async () => {
    backend.kill('SIGKILL');
    const spawned = (await system.list()).find(({ pid }) => pid !== null);
    assert.equal((await system.remove(spawned?.port ?? 0)).status, 200);
    await hookAbout(/web has no healthy instance/);
    backend = system.backend(system.ports.own[0] ?? 0);
    await hookAbout(/[Rr]esolved.*web has no healthy instance|web has no healthy instance \(resolved/);
  });

  it('of the load balancer are silenced and acknowledged through the manager', async () => {
    const name = `web@127.0.0.1:${system.ports.own[0]}`;
    const down = () => hooks.filter(({ body }) => body.includes(`"title":"${name} is down"`)).length;
    const active = async () => {
      const { body } = await ask(`${system.api}/alerts?state=active&service=web`);
      return AlertsSchema.parse(JSON.parse(body)).find(({ key }) => key.startsWith('instance-down:'));
    };
    await eventually('what came before to be over', async () => (await active()) === undefined);
    const body = { match: { service: 'web' }, for: '1h', by: 'ann' };
    const silence = await ask(`${system.api}/alerts/silences`, { method: 'POST', body });
    assert.equal(silence.status, 201, silence.body);
    const before = down();
    backend.kill('SIGKILL');
    const silenced = await eventually('the alert', active);
    assert.deepEqual([silenced.silenced, silenced.announced], [true, false]);
    const { id } = SilenceSchema.parse(JSON.parse(silence.body));
    assert.equal((await ask(`${system.api}/alerts/silences/${id}`, { method: 'DELETE' })).status, 200);
    await eventually('the alert to be told', () => down() > before);
    const url = `${system.api}/alerts/${encodeURIComponent(silenced.key)}/ack`;
    assert.equal((await ask(url, { method: 'POST', body: { by: 'bob' } })).status, 200);
    assert.equal((await active())?.acknowledged?.by, 'bob');
    backend = system.backend(system.ports.own[0] ?? 0);
    await eventually('the recovery in the history', async () => (await active()) === undefined);
  });

  it('go through a channel from the API, too, whichever process has something to tell, until it is removed', async () => {
    const channels = `${system.api}/alerts/channels`;
    const webhook = { url: `http://127.0.0.1:${system.ports.own[3]}/added` };
    assert.equal((await ask(channels, { method: 'POST', body: { name: 'chat', webhook } })).status, 201);
    const elsewhere = { name: 'x', webhook: { url: 'http://127.0.0.2/' } };
    assert.equal((await ask(channels, { method: 'POST', body: elsewhere })).status, 400);
    const fares = async (base: string) => {
      const { body } = await ask(`${base}/alerts/test`, { method: 'POST' });
      return TestSchema.parse(JSON.parse(body)).find(({ channel }) => channel === 'chat')?.ok;
    };
    assert.equal(await fares(system.api), true);
    await eventually('the load balancer has it', async () => (await fares(system.admin)) === true);
    assert.equal((await ask(`${channels}/chat`, { method: 'DELETE' })).status, 200);
    assert.equal(await fares(system.api), undefined);
    await eventually('the load balancer has it no more', async () => (await fares(system.admin)) === undefined);
  });

  it('tell that a changed configuration was refused', async () => {
    await system.writeConfig('{ "services": 7 }');
    const { body } = await hookAbout(/configuration was refused/);
    assert.match(body, /services/);
    // Without the dead channel, too: at the end nothing waits for it.
    await system.configure({ alerts: channels(system.ports, system.ports.own.slice(1, 2)) });
    await hookAbout(/Resolved after .*configuration was refused/);
    assert.equal(hooks.filter((hook) => /"subject":"A changed configuration was refused/.test(hook.body)).length, 1);
    assert.equal(manager.running, true);
  });

  it('tell of a refusal that the load balancer alone can see', async () => {
    const { taken, admin } = system.ports;
    await system.configure({ proxy: { host: '127.0.0.1', port: taken, admin: { port: admin } } });
    await hookAbout(new RegExp(`^A changed configuration was refused .*${taken}`));
  });
});
