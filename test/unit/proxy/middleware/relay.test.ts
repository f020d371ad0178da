import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Lease } from '../../../../internal/proxy/lease.ts';
import { relayResponse } from '../../../../internal/proxy/middleware/relay.ts';
import { upstream } from '../../../support/proxy-fakes.ts';
import { eventually, type RawConnection, rawClient, requestText } from '../../../support/proxy-raw.ts';

const OPTIONS = { requestId: 'id', setCookie: null, limitFields: [], replacing: [], idleMs: 60_000, closing: false };

describe('relaying a response', () => {
  const server = createServer();
  let client: RawConnection;
  let to: ServerResponse;
  let from: IncomingMessage;
  let lease: Lease;

  beforeEach(async () => {
    if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
    const arrived = once(server, 'request');
    client = await rawClient((server.address() as AddressInfo).port, requestText('GET /', ['Connection: keep-alive']));
    const [request, response] = (await arrived) as [IncomingMessage, ServerResponse];
    request.resume();
    to = response;
    const fields = { statusCode: 200, statusMessage: 'OK', rawHeaders: [], rawTrailers: [], _read() {} };
    from = Object.assign(new IncomingMessage(new Socket()), fields);
    lease = new Lease({ observed() {}, gatewayError() {}, released() {} }, upstream('a'), false, () => 0);
  });
  afterEach(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });

  it('gives the upstream back with its last byte, however slowly the client reads', async () => {
    client.socket.pause();
    relayResponse(from, to, lease, OPTIONS);
    from.push(Buffer.alloc(32 * 1024 * 1024));
    from.push(null);
    await eventually('the upstream is free', () => lease.upstream.inFlight === 0);
    assert.deepEqual(lease.outcome, { kind: 'completed', status: 200 });
    assert.ok(!to.writableFinished);
    client.socket.resume();
    await eventually('all has come', () => client.received.endsWith('\r\n0\r\n\r\n'));
  });

  it('does not keep for ever what a client does not fetch', async () => {
    client.socket.pause();
    relayResponse(from, to, lease, { ...OPTIONS, idleMs: 50 });
    from.push(Buffer.alloc(32 * 1024 * 1024));
    from.push(null);
    await eventually('it is given up', () => to.destroyed);
    assert.deepEqual(lease.outcome, { kind: 'completed', status: 200 }); // no fault of the upstream
  });

  it('leaves no timeout and no listener on the connection when all went well', async () => {
    const { socket } = to;
    relayResponse(from, to, lease, OPTIONS);
    from.push('done');
    from.push(null);
    await eventually('it is over', () => to.closed);
    assert.equal(from.socket.listenerCount('timeout'), 0);
    assert.equal(socket?.listeners('timeout').filter(({ name }) => name === 'stuck').length, 0);
  });
});
