import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import type { z } from 'zod';
import type { Clock } from '../../pkg/clock/clock.ts';
import { AlertDispatcher } from '../../pkg/alerts/dispatcher.ts';
import { DeliveryError } from '../../pkg/alerts/notifier.ts';
import { renderTest } from '../../pkg/alerts/render.ts';
import { WebhookChannelSchema } from '../../pkg/alerts/schema.ts';
import { TargetGuard } from '../../pkg/alerts/target-guard.ts';
import { WebhookNotifier } from '../../pkg/alerts/webhook.ts';

const AT = Date.UTC(2026, 0, 2, 12);
const MESSAGE = renderTest(AT, 'id-1');
const NO_SIGNAL = new AbortController().signal;
const SECRET = 'correct horse battery';

interface Received {
  readonly request: http.IncomingMessage;
  readonly body: string;
}

type Answer = (response: http.ServerResponse) => void;

const status =
  (code: number, body = '', headers: http.OutgoingHttpHeaders = {}): Answer =>
  (response) =>
    response.writeHead(code, headers).end(body);

/** A real receiver on loopback: gives the answers in turn, the last one for ever; closed after the test. */
async function receiver(context: TestContext, ...answers: readonly Answer[]) {
  const received: Received[] = [];
  const server = http.createServer(async (request, response) => {
    const body = await text(request);
    const answer = answers[Math.min(received.length, answers.length - 1)] ?? status(204);
    received.push({ request, body });
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { url: `http://127.0.0.1:${address.port}/hook?key=s3cret`, received };
}

function notifierFor(url: string, changes: Partial<z.input<typeof WebhookChannelSchema>> = {}): WebhookNotifier {
  return new WebhookNotifier(WebhookChannelSchema.parse({ url, ...changes }), null, () => AT + 999);
}

async function failureOf(send: Promise<void>): Promise<DeliveryError> {
  const error: unknown = await send.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DeliveryError, String(error));
  return error;
}

describe('a webhook', () => {
  it('posts JSON with the headers of the configuration', async (context) => {
    const { url, received } = await receiver(context);
    await notifierFor(url, { headers: { Authorization: 'Bearer abc' } }).send(MESSAGE, NO_SIGNAL);
    const { request, body = '' } = received[0] ?? {};
    assert.deepEqual([request?.method, request?.url], ['POST', '/hook?key=s3cret']);
    assert.equal(request?.headers['content-type'], 'application/json');
    assert.equal(request?.headers.authorization, 'Bearer abc');
    assert.equal(request?.headers['x-heimdall-signature'], undefined);
    const parsed: unknown = JSON.parse(body);
    assert.ok(typeof parsed === 'object' && parsed !== null && 'subject' in parsed);
    assert.equal(parsed.subject, MESSAGE.subject);
  });

  it('signs timestamp and body, so that the receiver can tell a forged or replayed message', async (context) => {
    const { url, received } = await receiver(context);
    await notifierFor(url, { secret: SECRET, format: 'slack' }).send(MESSAGE, NO_SIGNAL);
    const { request, body = '' } = received[0] ?? {};
    const timestamp = request?.headers['x-heimdall-timestamp'];
    assert.equal(timestamp, String(AT / 1_000), 'whole seconds');
    const expected = createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex');
    assert.equal(request?.headers['x-heimdall-signature'], `sha256=${expected}`);
  });

  it('that came through the API does not reach private networks, by name or by address, unless they are allowed', async (context) => {
    const { url, received } = await receiver(context);
    const byName = url.replace('127.0.0.1', 'localhost');
    const guarded = (to: string, allowed: readonly string[]) =>
      new WebhookNotifier(WebhookChannelSchema.parse({ url: to }), new TargetGuard(allowed)).send(MESSAGE, NO_SIGNAL);
    for (const to of [url, byName, url.replace('127.0.0.1', '2130706433')]) {
      assert.match((await failureOf(guarded(to, []))).message, /is in a private or reserved network/);
    }
    assert.equal(received.length, 0);
    await guarded(url, ['127.0.0.0/8']);
    await guarded(byName, ['127.0.0.0/8', '::1']);
    assert.equal(received.length, 2);
  });

  it('names the message in a field, so that a receiver of any format can drop a repetition', async (context) => {
    const { url, received } = await receiver(context);
    await notifierFor(url, { format: 'discord' }).send(MESSAGE, NO_SIGNAL);
    assert.equal(received[0]?.request.headers['x-heimdall-id'], 'id-1');
  });

  it('makes one request for each alert to PagerDuty, signed by itself, and stops at a refusal', async (context) => {
    const { url, received } = await receiver(context, status(202), status(500));
    const entries = ['a', 'b', 'c'].map((key) => ({
      ...MESSAGE.entries[0]!,
      alert: { ...MESSAGE.entries[0]!.alert, key },
      resolvedAt: null,
    }));
    const routingKey = '0123456789abcdef0123456789ABCDEF';
    const notifier = notifierFor(url, { format: 'pagerduty', routingKey, secret: SECRET });
    const { retryable } = await failureOf(notifier.send({ ...MESSAGE, entries }, NO_SIGNAL));
    assert.equal(retryable, true);
    assert.deepEqual(
      received.map(({ body }) => /"dedup_key":"(\w)"/.exec(body)?.[1]),
      ['a', 'b'],
    );
    for (const { request, body } of received) {
      const timestamp = request.headers['x-heimdall-timestamp'];
      const expected = createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex');
      assert.equal(request.headers['x-heimdall-signature'], `sha256=${expected}`);
    }
  });

  it('reports a refusal with its status and the beginning of its body', async (context) => {
    const { url } = await receiver(context, status(400, `bad\r\n\u001b[31m${'x'.repeat(100_000)}`));
    const { message, retryable } = await failureOf(notifierFor(url).send(MESSAGE, NO_SIGNAL));
    assert.match(message, /^status 400: bad \[31mx+…$/);
    assert.equal(message.length, 'status 400: '.length + 200);
    assert.equal(retryable, false);
  });

  for (const [code, retryable] of [
    [404, false],
    [410, false],
    [408, true],
    [429, true],
    [500, true],
    [503, true],
  ] as const) {
    it(`takes ${code} for ${retryable ? 'worth' : 'not worth'} another attempt`, async (context) => {
      const { url } = await receiver(context, status(code));
      const error = await failureOf(notifierFor(url).send(MESSAGE, NO_SIGNAL));
      assert.equal(error.message, `status ${code}`);
      assert.equal(error.retryable, retryable);
    });
  }

  it('passes on how long the receiver asks to wait', async (context) => {
    const { url } = await receiver(context, status(429, '', { 'retry-after': '7' }));
    assert.equal((await failureOf(notifierFor(url).send(MESSAGE, NO_SIGNAL))).retryAfterMs, 7_000);
  });

  // A receiver answers "307, Location: http://169.254.169.254/" to have the message and its signature sent elsewhere.
  it('follows no redirect', async (context) => {
    const elsewhere = await receiver(context);
    const { url } = await receiver(context, status(307, '', { location: elsewhere.url }));
    const { message, retryable } = await failureOf(notifierFor(url).send(MESSAGE, NO_SIGNAL));
    assert.equal(message, 'status 307');
    assert.equal(retryable, false);
    assert.equal(elsewhere.received.length, 0);
  });

  it('gives up a receiver that does not answer in time', async (context) => {
    const { url } = await receiver(context, () => {});
    const { message, retryable } = await failureOf(notifierFor(url, { timeout: '100ms' }).send(MESSAGE, NO_SIGNAL));
    assert.equal(message, 'no answer within 0.1 s');
    assert.equal(retryable, true);
  });

  it('gives up a receiver that changes to another protocol', async (context) => {
    const { url } = await receiver(context, ({ socket }) => {
      socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n');
    });
    const { message } = await failureOf(notifierFor(url, { timeout: '100ms' }).send(MESSAGE, NO_SIGNAL));
    assert.equal(message, 'no answer within 0.1 s');
  });

  it('gives up a refusal whose body never ends', async (context) => {
    const { url } = await receiver(context, (response) => response.writeHead(500).write('wait'));
    const { message } = await failureOf(notifierFor(url, { timeout: '100ms' }).send(MESSAGE, NO_SIGNAL));
    assert.equal(message, 'no answer within 0.1 s');
  });

  it('reports a refused connection in the words of the network, without the path and its secret', async (context) => {
    const server = http.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.after(() => server.close());
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    await new Promise((resolve) => server.close(resolve));
    const url = `http://127.0.0.1:${address.port}/hook?key=s3cret`;
    const { message, retryable } = await failureOf(notifierFor(url).send(MESSAGE, NO_SIGNAL));
    assert.equal(message, `connect ECONNREFUSED 127.0.0.1:${address.port}`);
    assert.equal(retryable, true);
  });

  it('stops when its signal is aborted', async (context) => {
    const abort = new AbortController();
    const { url } = await receiver(context, () => abort.abort());
    await failureOf(notifierFor(url).send(MESSAGE, abort.signal));
  });
});

/** Real time, only the waits between attempts and for the group take none. */
const HASTY: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs > 20_000 ? delayMs : 0);
    return () => clearTimeout(timer);
  },
};

describe('the alert dispatcher', () => {
  function dispatcherFor(context: TestContext, url: string) {
    const log: { readonly level: string; readonly message: string }[] = [];
    const keep = (level: string) => (_fields: object, message: string) => void log.push({ level, message });
    const dispatcher = new AlertDispatcher({
      notifiers: [notifierFor(url)],
      clock: HASTY,
      log: { info: keep('info'), warn: keep('warn'), error: keep('error') },
    });
    context.after(() => dispatcher.close());
    const raiseAndFlush = async () => {
      dispatcher.raise({ key: 'k', severity: 'critical', title: 'web-9001 is down', at: Date.now() });
      await dispatcher.flush(30_000);
    };
    return { raiseAndFlush, log };
  }

  it('repeats what met a 500 until it is taken, with the same id', async (context) => {
    const { url, received } = await receiver(context, status(500), status(200));
    const { raiseAndFlush, log } = dispatcherFor(context, url);
    await raiseAndFlush();
    const ids = new Set(received.map(({ body }) => /"id":"([^"]+)"/.exec(body)?.[1]));
    assert.deepEqual([received.length, ids.size], [2, 1]);
    assert.deepEqual(
      log.map(({ message }) => message),
      ['alert not delivered yet', 'alert sent'],
    );
  });

  it('does not repeat what met a 400', async (context) => {
    const { url, received } = await receiver(context, status(400, 'no such channel'));
    const { raiseAndFlush, log } = dispatcherFor(context, url);
    await raiseAndFlush();
    assert.equal(received.length, 1);
    assert.deepEqual(log, [{ level: 'error', message: 'alert not delivered' }]);
  });
});
