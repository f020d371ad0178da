import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, request, type RequestListener, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { Gate } from '../../../pkg/sockets/gate.ts';

const LONG_MS = 2 ** 30;
const KEY = 'a-key';

async function serve(app: RequestListener): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { server, port: address.port };
}

async function ask(port: number, path: string, { agent = new Agent(), body = '', headers = {} } = {}) {
  const message = request({ host: '127.0.0.1', port, path, method: body === '' ? 'GET' : 'POST', agent, headers });
  message.end(body);
  const [response] = await once(message, 'response');
  const { statusCode, headers: fields } = response;
  return { status: statusCode, connection: fields.connection, name: fields['x-name'], body: await text(response) };
}

/** What the successor heard. */
const echo: RequestListener = (message, response) => {
  void text(message).then((body) => {
    response.setHeader('X-Name', 'successor');
    response.statusCode = 201;
    response.end(`${message.method} ${message.url} ${message.headers.host} ${body}`);
  });
};

describe('the gate of a server that leaves its address to a successor', () => {
  it('has the successor answer what still comes on an old connection, when it is there', async () => {
    const gate = new Gate(KEY);
    const old = await serve(gate.around((_request, response) => response.end('old')));
    const successor = await serve(echo);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    assert.equal((await ask(old.port, '/', { agent })).body, 'old');
    const ready = Promise.withResolvers<void>();
    gate.passOnTo({ host: '127.0.0.1', port: successor.port, ready: ready.promise });
    let answered = false;
    const answer = ask(old.port, '/a?b=c', { agent, body: 'x'.repeat(100_000) }).finally(() => {
      answered = true;
    });
    await gate.finished(0, LONG_MS); // what waits for the successor is not waited for
    assert.equal(answered, false);
    ready.resolve();
    const { status, name, body, connection } = await answer;
    assert.deepEqual([status, name, connection], [201, 'successor', 'close']);
    assert.equal(body, `POST /a?b=c 127.0.0.1:${old.port} ${'x'.repeat(100_000)}`);
    agent.destroy();
    old.server.close();
    successor.server.close();
  });

  // Who did what is recorded with the client's address: a request that was relayed would be from this machine, and what
  // a client says of itself must not count.
  it('tells the successor whom a request is from, and believes nobody else', async () => {
    const heard: RequestListener = ({ socket, headers }, response) => {
      response.end(`${socket.remoteAddress} ${headers['heimdall-relayed-for']}`);
    };
    const successor = await serve(new Gate(KEY).around(heard));
    const gate = new Gate(KEY);
    const old = await serve(gate.around((_request, response) => response.end('old')));
    gate.passOnTo({ host: '127.0.0.1', port: successor.port, ready: Promise.resolve() });
    const from = (port: number, value: string) => {
      const agent = new Agent({ localAddress: '127.0.0.2' });
      return ask(port, '/', { agent, headers: { 'Heimdall-Relayed-For': value } });
    };
    for (const port of [old.port, successor.port]) {
      assert.equal((await from(port, 'another-key 192.0.2.1')).body, '127.0.0.2 undefined');
    }
    old.server.close();
    successor.server.close();
  });

  it('waits for what was let in, but for the one that asked for it', async () => {
    const gate = new Gate(KEY);
    const answers: (() => void)[] = [];
    const old = await serve(gate.around((_request, response) => answers.push(() => response.end('old'))));
    const asked = [ask(old.port, '/'), ask(old.port, '/')];
    while (answers.length < 2) await new Promise(setImmediate);
    let finished = false;
    const finish = gate.finished(1, LONG_MS).then(() => {
      finished = true;
    });
    await new Promise(setImmediate);
    assert.equal(finished, false);
    answers[0]?.();
    await finish;
    answers[1]?.();
    assert.deepEqual(
      (await Promise.all(asked)).map(({ body }) => body),
      ['old', 'old'],
    );
    await gate.finished(0, LONG_MS);
    old.server.close();
  });

  it('waits no longer than the deadline', async () => {
    const gate = new Gate(KEY);
    const asked = Promise.withResolvers<void>();
    const old = await serve(gate.around(() => asked.resolve()));
    const answer = assert.rejects(ask(old.port, '/'));
    await asked.promise;
    await gate.finished(0, 1);
    old.server.closeAllConnections();
    await answer;
    old.server.close();
  });

  it('answers 503 when there will be no successor, or none answers', async () => {
    const gate = new Gate(KEY);
    const old = await serve(gate.around((_request, response) => response.end('old')));
    gate.passOnTo({ host: '127.0.0.1', port: 1, ready: Promise.reject(new Error('it crashed')) });
    assert.equal((await ask(old.port, '/')).status, 503);
    gate.passOnTo({ host: '127.0.0.1', port: 1, ready: Promise.resolve() });
    assert.equal((await ask(old.port, '/')).status, 503);
    old.server.close();
  });
});
