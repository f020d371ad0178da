import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import request from 'supertest';
import { startApiServer } from '../../../internal/api/http-server.ts';
import { createLogger, type Logger } from '../../../pkg/logger/logger.ts';
import { api, FakeManager, instance, silent } from './fake-manager.ts';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly method?: string;
  readonly path?: string;
  readonly status?: number;
  readonly ms?: number;
}

/** A log that keeps its lines; `logged` resolves with the next one. */
function recorder(): { log: Logger; lines: Line[]; logged: () => Promise<void> } {
  const lines: Line[] = [];
  let wake = () => {};
  const write = (text: string) => {
    lines.push(JSON.parse(text));
    wake();
  };
  const log = createLogger({ name: 'test', level: 'debug', pretty: false, destination: { write } });
  const logged = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  return { log, lines, logged };
}

describe('the request log', () => {
  it('writes method, path, status and time, never the query', async () => {
    const { log, lines, logged } = recorder();
    const line = logged();
    await request(api({ log })).get('/servers/get?port=9999');
    await line;
    const [{ level, method, path, status, ms } = {}] = lines;
    assert.deepEqual({ level, method, path, status }, { level: 30, method: 'GET', path: '/servers/get', status: 404 });
    assert.equal(typeof ms, 'number');
    assert.doesNotMatch(JSON.stringify(lines), /port=/);
  });

  it('writes the polling of /status at debug', async () => {
    const { log, lines, logged } = recorder();
    const line = logged();
    await request(api({ log })).get('/status');
    await line;
    assert.deepEqual([lines[0]?.level, lines[0]?.path], [20, '/status']);
  });

  it('writes 499 for a client that left, whose add goes on', async () => {
    const { log, lines, logged } = recorder();
    const asked = Promise.withResolvers<void>();
    const ready = Promise.withResolvers<void>();
    const added = Promise.withResolvers<void>();
    const manager = new FakeManager({
      add: async () => {
        asked.resolve();
        await ready.promise;
        added.resolve();
        return [instance(9000)];
      },
    });
    const server = await startApiServer({ app: api({ manager, log }), host: '127.0.0.1', port: 0, log: silent });
    try {
      const client = connect(server.port, '127.0.0.1');
      client.write('POST /servers/add HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await asked.promise;
      const line = logged();
      client.destroy();
      await line;
      assert.equal(lines[0]?.status, 499);
      ready.resolve();
      await added.promise;
    } finally {
      await server.close();
    }
    assert.equal(lines.length, 1, 'the late answer must not fail');
  });
});
