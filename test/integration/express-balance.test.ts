import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createTlsServer, request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json as readJson, text as readText } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import express, { type ErrorRequestHandler, type RequestHandler, type Response } from 'express';
import { WebSocket } from 'ws';
import type { RequestRecord } from '../../cmd/express/balance.ts';
import { selfSignedCertificate } from '../support/certificate.ts';
import { ask } from '../support/e2e-http.ts';
import { ExpressSite, serviceOver } from '../support/express-site.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import {
  closedPort,
  eventually,
  parseMessage,
  RawBackend,
  type RawConnection,
  rawClient,
  requestText,
} from '../support/proxy-raw.ts';

/** But for the first time: what happens then, only requests find out. */
const NEVER_PROBED = { healthCheck: { type: 'tcp', interval: '10m' } } as const;

interface Seen {
  readonly target: string;
  readonly rawHeaders: readonly string[];
}

/** What the upstream got. */
async function seen(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Seen> {
  return JSON.parse((await ask(url, { headers })).body) as Seen;
}

function valueOf({ rawHeaders }: Seen, name: string): string | undefined {
  const at = rawHeaders.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name);
  return at === -1 ? undefined : rawHeaders[at + 1];
}

/** The connection of the request that the backend has yet to answer. */
async function requested(backend: RawBackend): Promise<RawConnection> {
  const find = () => backend.connections.find(({ received, closed }) => received !== '' && !closed);
  await eventually('the request reaches the backend', () => find() !== undefined);
  return find()!;
}

/** What Express would do with the error, in one line. */
function tell(errors: unknown[]): ErrorRequestHandler {
  return (error, _request, response, _next) => {
    errors.push(error);
    response.status((error as { status?: number }).status ?? 500).send(String(error));
  };
}

describe('balance() in an Express app', () => {
  it('takes turns over the instances of its service, beside the routes of the app and other services', async () => {
    await using site = new ExpressSite();
    const [one = 0, two = 0, other = 0] = await site.backends('one', 'two', 'other');
    const services = [serviceOver('web', [one, two]), serviceOver('api', [other])];
    site.app.get('/own', (_request, response) => void response.send('own'));
    site.app.use('/web', site.balance({ service: 'web', config: { services } }));
    site.app.use('/api', site.balance({ service: 'api', config: { services } }));
    await site.listen();

    const answers = [];
    for (let index = 0; index < 6; index += 1)
      answers.push(String((await ask(`${site.url}/web/`)).headers['x-server']));
    assert.deepEqual(answers.toSorted(), ['one', 'one', 'one', 'two', 'two', 'two']);
    assert.notEqual(answers[0], answers[1]);
    assert.equal((await ask(`${site.url}/api/x`)).headers['x-server'], 'other');
    assert.equal((await ask(`${site.url}/own`)).body, 'own');
  });

  it('sends the path as Express hands it on, or with the mount path when asked to', async () => {
    await using site = new ExpressSite();
    const ports = await site.backends('one');
    site.app.use('/short', site.over(ports));
    site.app.use('/whole', site.over(ports, {}, { keepMountPath: true }, { healthCheck: { interval: '50ms' } }));
    await site.listen();
    for (const path of ['/headers', '/headers?a=%2F&b', '/headers?x=//y']) {
      assert.equal((await seen(`${site.url}/short${path}`)).target, path);
    }
    const whole = await ask(`${site.url}/whole/a%2Fb?c`);
    assert.equal((JSON.parse(whole.body) as { path: string }).path, '/whole/a%2Fb');
  });

  it('applies the rate limit of the route that the request would match', async () => {
    await using site = new ExpressSite();
    const ports = await site.backends('one');
    const routes = [{ path: '/api', rateLimit: { requests: 1, per: '1h' } }];
    site.app.use('/web', site.over(ports, {}, {}, { routes }));
    await site.listen();
    const answers = [];
    for (const path of ['/web/api', '/web/api', '/web/other']) answers.push(await ask(`${site.url}${path}`));
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers['ratelimit'], headers['retry-after']]),
      [
        [200, '"/api";r=0;t=3600', undefined],
        [429, '"/api";r=0;t=3600', '3600'],
        [200, undefined, undefined],
      ],
    );
  });

  it('traces requests as the configuration says, and leaves no span behind', async () => {
    await using receiver = await OtlpReceiver.open();
    await using site = new ExpressSite();
    const web = site.over(await site.backends('one'), { proxy: { tracing: { endpoint: receiver.endpoint } } });
    site.app.use(web);
    await site.listen();
    const traceparent = valueOf(await seen(`${site.url}/headers`), 'traceparent');
    await web.close();
    const [server, client] = await receiver.received(2);
    assert.equal(traceparent, `00-${server?.traceId}-${client?.spanId}-01`);
    assert.equal(client?.parentSpanId, server?.spanId);
  });

  it('leaves the request to loggers as the client sent it', async () => {
    await using site = new ExpressSite();
    const ports = await site.backends('one');
    const lines: unknown[] = [];
    site.app.use((request, response, next) => {
      response.once('finish', () => {
        lines.push([request.method, request.originalUrl, request.get('user-agent'), request.get('x-forwarded-for')]);
      });
      next();
    });
    site.app.use('/web', site.over(ports));
    await site.listen();
    assert.equal(
      (await ask(`${site.url}/web/echo`, { method: 'POST', body: 1, headers: { 'User-Agent': 'me' } })).body,
      '1',
    );
    await eventually('it is logged', () => lines.length === 1);
    assert.deepEqual(lines, [['POST', '/web/echo', 'me', undefined]]);
  });

  it('gets along with a middleware that rewrites the response, and keeps the cookies that the app has set', async () => {
    await using site = new ExpressSite();
    const backend = site.own(
      await RawBackend.answering(
        'HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nSet-Cookie: theirs=1\r\nSet-Cookie: theirs=2\r\n' +
          'Vary: Accept\r\nX-Powered-By: them\r\nContent-Length: 5\r\n\r\nhello',
      ),
    );
    site.app.use((_request, response, next) => {
      response.cookie('ours', '1').vary('Origin');
      next();
    });
    site.app.use(compress);
    site.app.use(site.over([backend.port]));
    await site.listen();
    const answer = await fetch(site.url);
    assert.equal(answer.statusText, 'Fine');
    assert.deepEqual(answer.headers.getSetCookie(), ['ours=1; Path=/', 'theirs=1', 'theirs=2']);
    assert.equal(answer.headers.get('vary'), 'Origin, Accept');
    assert.equal(answer.headers.get('x-powered-by'), 'them');
    assert.equal(answer.headers.get('content-encoding'), 'gzip');
    assert.equal(await answer.text(), 'hello'); // unzipped by fetch
  });

  it('relays bodies of any size, and says so at once when a body parser took one away before', async () => {
    await using site = new ExpressSite();
    const ports = await site.backends('one');
    const errors: unknown[] = [];
    site.app.use('/early', site.over(ports));
    site.app.use(express.json(), express.raw());
    site.app.use('/late', site.over(ports), tell(errors));
    await site.listen();
    const body = { text: 'x'.repeat(300_000) };
    assert.equal((await ask(`${site.url}/early/echo`, { method: 'POST', body })).body, JSON.stringify(body));

    for (const text of ['{"a":1}', '{}']) {
      const late = await ask(`${site.url}/late/echo`, { method: 'POST', body: JSON.parse(text) });
      assert.equal(late.status, 500);
      assert.match(late.body, /Mount balance\(\) before body parsers such as express\.json\(\)/);
    }
    assert.equal((await ask(`${site.url}/late/`)).status, 200); // nothing was there to be taken away
    const plain = { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'left alone' };
    assert.equal(await fetch(`${site.url}/late/echo`, plain).then((response) => response.text()), 'left alone');
    assert.deepEqual(
      errors.map((error) => (error as { code: string }).code),
      ['BODY_ALREADY_READ', 'BODY_ALREADY_READ'],
    );
  });

  it('tries another instance when one refuses, and answers failures like the load balancer', async () => {
    await using site = new ExpressSite();
    const [one = 0] = await site.backends('one');
    const dead = await closedPort();
    const records: RequestRecord[] = [];
    const onRequest = (record: RequestRecord) => void records.push(record);
    site.app.use(
      '/half',
      site.over([dead, one], {}, { onRequest }, { healthCheck: { type: 'tcp', interval: '10m', fall: 100 } }),
    );
    site.app.use('/none', site.over([dead]));
    site.app.use('/late', site.over([one], { proxy: { timeouts: { responseHead: '100ms' } } }));
    await site.listen();

    for (let index = 0; index < 3; index += 1)
      assert.equal((await ask(`${site.url}/half/`)).headers['x-server'], 'one');
    assert.ok(records.every(({ service, status }) => service === 'web' && status === 200));
    const none = await ask(`${site.url}/none/`, { headers: { Accept: 'application/json' } });
    assert.ok([502, 503].includes(none.status));
    assert.equal((JSON.parse(none.body) as { status: number }).status, none.status);
    assert.match((await ask(`${site.url}/late/hang`)).body, /^504 Gateway Timeout\n/);
  });

  it('outlives an app that answers while the upstream thinks, and lets go of the upstream', async () => {
    await using site = new ExpressSite();
    const backend = site.own(await RawBackend.start(() => {}));
    let waiting: Response | null = null;
    site.app.use((_request, response, next) => {
      waiting = response;
      next();
    });
    site.app.use(site.over([backend.port], {}, {}, NEVER_PROBED));
    await site.listen();
    const started = [(answer: Response) => answer.write('too'), (answer: Response) => answer.send('too slow')];
    for (const begin of started) {
      const answer = ask(`${site.url}/`).catch(String);
      const asked = await requested(backend);
      begin(waiting!);
      asked.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      await eventually('the upstream is let go', () => asked.closed || asked.ended);
      waiting!.end();
      assert.match(JSON.stringify(await answer), /too/);
    }
  });

  it('lets requests wait that come before it is ready', async () => {
    await using site = new ExpressSite();
    const ports = await site.backends('one');
    await site.listen();
    site.app.use(site.over(ports));
    const body = { text: 'hello' };
    const answer = await ask(`${site.url}/echo`, { method: 'POST', body });
    assert.equal(answer.body, JSON.stringify(body));
  });
});

/** As the `compression` package does it: wraps `writeHead`, whose field list it reads as pairs, and changes what is written. */
const compress: RequestHandler = (_request, response, next) => {
  const chunks: Buffer[] = [];
  const { writeHead, write, end } = response;
  response.writeHead = ((status: number, reason: string, fields?: readonly (readonly string[])[]) => {
    for (const pair of fields ?? []) response.setHeader(pair[0]!, pair[1]!);
    response.setHeader('Content-Encoding', 'gzip').removeHeader('Content-Length');
    return Reflect.apply(writeHead, response, [status, reason]) as typeof response;
  }) as typeof writeHead;
  response.write = ((chunk: Buffer) => chunks.push(chunk) > 0) as typeof write;
  response.end = (() => {
    response.write = write;
    response.end = end;
    return response.end(gzipSync(Buffer.concat(chunks)));
  }) as typeof end;
  next();
};

describe('the client as the upstream of an Express app sees it', () => {
  /*
   * The attack: a client names itself 10.0.0.1 in X-Forwarded-For. Should the app trust every proxy, as `trust proxy`
   * may, the upstream would believe it.
   */
  it('is told by the trusted proxies of the configuration alone, whatever the app trusts', async () => {
    await using site = new ExpressSite();
    const ports = await site.backends('one');
    site.app.set('trust proxy', true);
    site.app.use('/wary', site.over(ports));
    site.app.use('/trusting', site.over(ports, { proxy: { trustedProxies: ['127.0.0.0/8'] } }));
    await site.listen();
    const forged = { 'X-Forwarded-For': '10.0.0.1', 'X-Forwarded-Proto': 'https' };
    const wary = await seen(`${site.url}/wary/headers`, forged);
    assert.deepEqual([valueOf(wary, 'x-forwarded-for'), valueOf(wary, 'x-forwarded-proto')], ['127.0.0.1', 'http']);
    const trusting = await seen(`${site.url}/trusting/headers`, forged);
    assert.equal(valueOf(trusting, 'x-forwarded-for'), '10.0.0.1, 127.0.0.1');
    assert.equal(valueOf(trusting, 'x-forwarded-proto'), 'https');
  });

  it('came by https where the server of the app speaks it', async () => {
    await using site = new ExpressSite();
    site.app.use(site.over(await site.backends('one')));
    const server = createTlsServer(selfSignedCertificate(), site.app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const message = tlsRequest({ port, host: '127.0.0.1', path: '/headers', rejectUnauthorized: false, agent: false });
    const [response] = await once(message.end(), 'response');
    assert.equal(valueOf((await readJson(response)) as Seen, 'x-forwarded-proto'), 'https');
    server.close();
  });

  /*
   * The attack: two Host lines. A filter in front of the app reads the one, the upstream the other, and a request that
   * was to be refused reaches an internal site. Node's server lets both through.
   */
  it('sends nothing that a proxy must refuse', async () => {
    await using site = new ExpressSite({ requireHostHeader: false });
    const backend = site.own(await RawBackend.answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    site.app.use(site.over([backend.port], { proxy: { limits: { target: '1kb' } } }));
    await site.listen();
    const statuses = [];
    const refused = [
      'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a/b@c\r\nConnection: close\r\n\r\n',
      'GET / HTTP/1.1\r\nConnection: close\r\n\r\n',
      `GET /${'x'.repeat(2_000)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
    ];
    for (const text of refused) {
      const client = await rawClient(site.port, text);
      statuses.push(parseMessage(await client.rest()).status);
    }
    assert.deepEqual(statuses, [400, 400, 400, 414, 501]);
    assert.ok(backend.connections.every(({ received }) => received === ''));
  });
});

describe('a WebSocket through an Express app', () => {
  it('reaches an instance, and other wishes to upgrade get an ordinary answer', async () => {
    const site: ExpressSite = new ExpressSite({ shouldUpgradeCallback: (request) => web.shouldUpgrade(request) });
    await using _ = site;
    const web = site.over(await site.backends('one'));
    site.app.use(web);
    site.server.on('upgrade', web.upgrade);
    await site.listen();
    const socket = new WebSocket(`${site.url.replace('http', 'ws')}/ws`);
    assert.equal(String((await once(socket, 'message'))[0]), 'one');
    socket.send('hello');
    assert.equal(String((await once(socket, 'message'))[0]), 'hello');
    const h2c = await ask(`${site.url}/`, { headers: { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c' } });
    assert.deepEqual([h2c.status, h2c.headers['x-server']], [200, 'one']);
    socket.close();
    await once(socket, 'close');
  });

  it('is the only protocol that a bare listener for upgrades switches to', async () => {
    await using site = new ExpressSite();
    site.server.on('upgrade', site.over(await site.backends('one')).upgrade);
    await site.listen();
    const client = await rawClient(site.port, requestText('GET /', ['Connection: Upgrade', 'Upgrade: h2c']));
    assert.equal(parseMessage(await client.rest()).status, 501);
  });
});

describe('closing a balance()', () => {
  it('lets running requests finish, and refuses later ones', async () => {
    await using site = new ExpressSite();
    const backend = site.own(await RawBackend.start(() => {}));
    const errors: unknown[] = [];
    const web = site.over([backend.port], {}, {}, NEVER_PROBED);
    site.app.use(web, tell(errors));
    await site.listen();
    const running = ask(`${site.url}/`);
    const asked = await requested(backend);
    const closed = web.close();
    asked.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const answer = await running;
    assert.deepEqual([answer.status, answer.body, answer.headers.connection], [200, 'ok', 'close']);
    await closed;
    assert.equal((await ask(`${site.url}/`)).status, 503);
    assert.equal((errors[0] as { code: string }).code, 'BALANCER_CLOSED');
  });

  it('takes nothing more after the deadline, however fast it comes', async () => {
    await using site = new ExpressSite();
    const web = site.over(await site.backends('one'));
    site.app.use(web, tell([]));
    await site.listen();
    const over = new AbortController();
    let answers = 0;
    const client = async (_: unknown, number: number) => {
      while (!over.signal.aborted) {
        await ask(`${site.url}/stream?count=${1 + (number % 5)}&every=10`).catch(() => {});
        answers += 1;
      }
    };
    const clients = Array.from({ length: 60 }, client);
    await eventually('they are under way', () => answers > 100);
    const late = setTimeout(() => over.abort(), 10_000);
    await web.close(100);
    assert.ok(!over.signal.aborted, 'it ended only with the last of its clients');
    clearTimeout(late);
    over.abort();
    await Promise.all(clients);
  });

  it('breaks off at the deadline what does not end', async () => {
    await using site = new ExpressSite();
    const web = site.over(await site.backends('one'));
    site.app.use(web);
    site.server.on('upgrade', web.upgrade);
    await site.listen();
    const socket = new WebSocket(`${site.url.replace('http', 'ws')}/ws`);
    await once(socket, 'message');
    const hanging = fetch(`${site.url}/stream?count=1000&every=50`);
    const body = await hanging;
    await Promise.all([web.close(50), once(socket, 'close'), assert.rejects(readText(body.body!))]);
  });
});
