import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { System } from '../support/e2e-system.ts';
import { eventually } from '../support/e2e-wait.ts';

const MessageSchema = z.object({ id: z.string(), subject: z.string() });
type Message = z.infer<typeof MessageSchema>;

/** Takes messages, or refuses them. */
class Receiver implements AsyncDisposable {
  readonly taken: Message[] = [];
  readonly refused: Message[] = [];
  accepts: boolean;
  readonly #server: Server;

  constructor(accepts: boolean) {
    this.accepts = accepts;
    this.#server = createServer((request, response) => {
      void text(request).then((body) => {
        (this.accepts ? this.taken : this.refused).push(MessageSchema.parse(JSON.parse(body)));
        response.writeHead(this.accepts ? 204 : 503).end();
      });
    });
  }

  async listen(port: number): Promise<void> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

describe('a load balancer that is killed between an event and its message', () => {
  it('tells it after its restart: each channel gets one message under one id, and the recovery', async () => {
    await using system = await System.create(({ own }) => ({
      services: [{ name: 'web', servers: [`127.0.0.1:${own[0]}`], healthCheck: { interval: '250ms', timeout: '3s' } }],
      alerts: {
        webhooks: own.slice(1, 3).map((port) => ({ url: `http://127.0.0.1:${port}/alerts` })),
        groupWindow: '200ms',
      },
    }));
    await using good = new Receiver(true);
    await using bad = new Receiver(false);
    const [backendPort = 0, goodPort = 0, badPort = 0] = system.ports.own;
    await Promise.all([good.listen(goodPort), bad.listen(badPort)]);
    const killed = system.start('load-balancer');
    await eventually('one channel to have the message, the other to have refused it', () => {
      return good.taken.length > 0 && bad.refused.length > 0;
    });
    killed.kill('SIGKILL');
    await killed.exited;
    assert.match(good.taken[0]?.subject ?? '', /web has no healthy instance/);

    bad.accepts = true;
    const next = system.start('load-balancer');
    await next.isReady();
    await eventually('the message to come from the next process', () => bad.taken.length > 0);
    assert.equal(bad.taken[0]?.id, good.taken[0]?.id);

    system.backend(backendPort);
    const recovered = ({ subject }: Message) => /[Rr]esolved/.test(subject);
    await eventually('the recovery', () => [good, bad].every(({ taken }) => taken.some(recovered)));
    await system.stop();
    for (const { taken } of [good, bad]) {
      assert.deepEqual(
        taken.map(({ id }) => id),
        [...new Set(taken.map(({ id }) => id))],
        'nothing came twice',
      );
      assert.equal(taken.filter((message) => !recovered(message)).length, 1, JSON.stringify(taken));
    }
  });
});
