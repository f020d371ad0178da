import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as breathe } from 'node:timers/promises';
import { it } from 'node:test';
import express, { type Response } from 'express';
import { EventStream } from '../../../internal/api/event-stream.ts';

const HEARTBEAT_MS = 15_000;

it('an event stream that the server has ended stays silent, also before a slow client has it all', async (context) => {
  const asked = Promise.withResolvers<Response>();
  const server = express()
    .get('/', (_request, response) => asked.resolve(response))
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const client = connect(address.port, '127.0.0.1').pause();
  try {
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const response = await asked.promise;
    context.mock.timers.enable({ apis: ['setInterval'] });
    const stream = new EventStream(response);
    const sending = stream.send('out', 'x'.repeat(32 * 1024 ** 2));
    const failed: unknown[] = [];
    response.on('error', (error) => failed.push(error));
    response.end(); // as the server does when it closes
    await stream.send('err', 'late');
    context.mock.timers.tick(HEARTBEAT_MS);
    await breathe();
    assert.deepEqual(failed, []);
    assert.equal(stream.closed.aborted, false);
    client.destroy();
    await sending;
  } finally {
    client.destroy();
    server.close();
  }
});
