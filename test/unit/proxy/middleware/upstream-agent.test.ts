import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import { connectWithin, UpstreamAgent } from '../../../../internal/proxy/middleware/upstream-agent.ts';
import { upstream } from '../../../support/proxy-fakes.ts';
import { eventually, onHeads, RawBackend } from '../../../support/proxy-raw.ts';

const TIMEOUTS = { connect: 60_000, upstreamIdle: 60_000 };
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function get(agent: UpstreamAgent, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, agent }, (response) => {
      let text = '';
      response.setEncoding('latin1').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text)).on('error', reject);
    });
    asked.on('error', reject).end();
  });
}

function idle(agent: UpstreamAgent): number {
  return Object.values(agent.freeSockets).reduce((sum, sockets) => sum + (sockets?.length ?? 0), 0);
}

describe('the connections of an upstream', () => {
  it('are used again, the last first', async () => {
    const backend = await RawBackend.answering(OK);
    const agent = new UpstreamAgent(TIMEOUTS, upstream('web-1'));
    try {
      for (let i = 0; i < 5; i += 1) assert.equal(await get(agent, backend.port), 'ok');
      assert.equal(backend.connections.length, 1);
    } finally {
      agent.retire();
      await backend.stop();
    }
  });

  // Response poisoning: a backend that sends a second response unasked would answer the next client with it.
  it('are closed when the upstream speaks while nobody asks', async () => {
    const backend = await RawBackend.start((connection) => onHeads(connection, () => connection.write(OK)));
    const agent = new UpstreamAgent(TIMEOUTS, upstream('web-1'));
    try {
      await get(agent, backend.port);
      await eventually('the connection is idle', () => idle(agent) === 1);
      backend.connections[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
      await eventually('the connection is closed', () => idle(agent) === 0);
      assert.equal(await get(agent, backend.port), 'ok');
      assert.equal(backend.connections.length, 2);
    } finally {
      agent.retire();
      await backend.stop();
    }
  });

  it('are closed with the agent: the idle at once, the others as they fall idle', async () => {
    let answer = () => {};
    const backend = await RawBackend.start((connection, index) => {
      onHeads(connection, () => {
        if (index === 0) connection.write(OK);
        else answer = () => connection.write(OK);
      });
    });
    const agent = new UpstreamAgent(TIMEOUTS, upstream('web-1'));
    try {
      const [first, second] = [get(agent, backend.port), get(agent, backend.port)];
      await first;
      await eventually('one is idle', () => idle(agent) === 1);
      agent.retire();
      await eventually('the idle one is closed', () => backend.connections[0]?.ended === true);
      answer();
      assert.equal(await second, 'ok');
      await eventually('the other is closed', () => backend.connections[1]?.ended === true);
      assert.equal(idle(agent), 0);
    } finally {
      agent.retire();
      await backend.stop();
    }
  });
});

describe('connectWithin', () => {
  it('gives up after its time', async () => {
    const lookup = () => {}; // never finds the name, so that the socket stays as it is while a SYN goes unanswered
    const socket = connectWithin({ host: 'somewhere.invalid', port: 80, lookup }, 30);
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
    assert.match(error.message, /no connection within 30 ms/);
    assert.equal('code' in error && error.code, 'ETIMEDOUT');
    assert.ok(socket.destroyed);
  });
});
