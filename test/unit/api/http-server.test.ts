import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { type ApiServer, startApiServer } from '../../../internal/api/http-server.ts';
import { HeimdallError } from '../../../internal/model/errors.ts';
import { silent } from './fake-manager.ts';

const start = (app: RequestListener): Promise<ApiServer> =>
  startApiServer({ app, host: '127.0.0.1', port: 0, log: silent });

async function fetchFrom(port: number, agent: Agent): Promise<IncomingMessage> {
  const [response] = await once(get({ host: '127.0.0.1', port, agent }), 'response');
  response.resume();
  await once(response, 'end');
  return response;
}

describe('startApiServer', () => {
  it('says what to do when the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      await assert.rejects(startApiServer({ app: () => {}, host: '127.0.0.1', port, log: silent }), (error) => {
        assert.ok(error instanceof HeimdallError);
        assert.equal(error.code, 'PORT_TAKEN');
        assert.equal(
          error.message,
          `port ${port} on 127.0.0.1 is in use; stop the other program or set MANAGER_PORT or manager.port`,
        );
        return true;
      });
    } finally {
      other.close();
    }
  });

  it('says so when the address is not one of this machine', async () => {
    await assert.rejects(
      startApiServer({ app: () => {}, host: '192.0.2.1', port: 0, log: silent }),
      /192\.0\.2\.1 is not an address of this machine; set manager\.host/,
    );
  });

  it('lets a running request finish when it closes', async () => {
    const asked = Promise.withResolvers<void>();
    const ready = Promise.withResolvers<void>();
    const server = await start(async (_request, response) => {
      asked.resolve();
      await ready.promise;
      response.end('done');
    });
    const agent = new Agent({ keepAlive: true });
    const answer = fetchFrom(server.port, agent);
    await asked.promise;
    const closed = server.close();
    ready.resolve();
    const response = await answer;
    await closed;
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers.connection, 'close');
    agent.destroy();
  });

  it('takes no new connection once it closes', async () => {
    const server = await start((_request, response) => response.end());
    await server.close();
    const socket = connect(server.port, '127.0.0.1');
    const [error] = await once(socket, 'error');
    assert.equal(error.code, 'ECONNREFUSED');
  });

  it('waits neither for idle keep-alive connections nor for ones that never sent a request', async () => {
    const server = await start((_request, response) => response.end());
    const agent = new Agent({ keepAlive: true });
    await fetchFrom(server.port, agent);
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {}); // the reset
    await once(socket, 'connect');
    await fetchFrom(server.port, new Agent()); // by now the server has accepted the silent connection too
    const gone = once(socket, 'close');
    await server.close(2 ** 30);
    await gone;
    agent.destroy();
  });

  // A successor listens on the same socket: what this one has accepted, the other one never sees.
  it('answers on every connection that it has accepted when it retires, and closes the idle ones late', async () => {
    const server = await start((_request, response) => response.end());
    const silent = connect(server.port, '127.0.0.1');
    await once(silent, 'connect');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await fetchFrom(server.port, agent); // by now the silent one is accepted, too
    const retired = server.retire(2 ** 30);
    silent.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.match(String(await text(silent)), /^HTTP\/1\.1 200 /);
    assert.equal((await fetchFrom(server.port, agent)).headers.connection, 'close');
    await retired;
    agent.destroy();
  });

  it('cuts off what is left at the deadline', async () => {
    const asked = Promise.withResolvers<void>();
    const server = await start(() => asked.resolve());
    const answer = fetchFrom(server.port, new Agent());
    const cut = assert.rejects(answer, /socket hang up|ECONNRESET/);
    await asked.promise;
    await server.close(1);
    await cut;
  });

  it('cuts off nothing before its successor has taken over, which waits for all that is under way', async () => {
    const takenOver = Promise.withResolvers<void>();
    const asked = [Promise.withResolvers<ServerResponse>(), Promise.withResolvers<ServerResponse>()];
    const server = await start((request, response) => asked[Number(request.url?.slice(1))]?.resolve(response));
    const answers = asked.map((_, number) =>
      fetch(`http://127.0.0.1:${server.port}/${number}`).then((got) => got.text()),
    );
    const cut = assert.rejects(Promise.all(answers), /fetch failed/);
    const [first] = await Promise.all(asked.map(({ promise }) => promise));
    const retired = server.retire(1, takenOver.promise);
    await sleep(20); // longer than the deadline, which does not count yet
    first?.end('done');
    assert.equal(await answers[0], 'done');
    takenOver.resolve();
    await Promise.all([cut, retired]);
  });

  it('may be closed twice', async () => {
    const server = await start((_request, response) => response.end());
    await Promise.all([server.close(), server.close()]);
  });
});
