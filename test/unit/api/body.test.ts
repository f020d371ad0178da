import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import request from 'supertest';
import { startApiServer } from '../../../internal/api/http-server.ts';
import { api, FakeManager, silent } from './fake-manager.ts';

describe('readBody', () => {
  it('takes an empty body for none, whatever its type', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
      await request(app).post('/servers/add').set('Content-Type', type).send('').expect(201);
    }
    assert.equal(manager.calls.length, 2);
  });

  it('takes JSON with a charset or a suffix', async () => {
    for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/merge-patch+json']) {
      await request(api()).post('/servers/add').set('Content-Type', type).send('{"count":1}').expect(201);
    }
  });

  it('says which header to send when the body has another type', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/jsonp']) {
      const response = await request(app).post('/servers/add').set('Content-Type', type).send('{"count":2}');
      assert.equal(response.status, 415, type);
      assert.match(response.body.detail, /"Content-Type: application\/json"/);
    }
    assert.deepEqual(manager.calls, []);
  });

  it('refuses a compressed body', async () => {
    await request(api()).post('/servers/add').type('json').set('Content-Encoding', 'gzip').send('{}').expect(415);
  });

  it('names the place of a fault in the JSON', async () => {
    const response = await request(api()).post('/servers/add').type('json').send('{\n "count": 2,\n}').expect(400);
    assert.match(response.body.detail, /^The body is not JSON: line 3, column 1: /);
    assert.equal(response.body.errors[0].path, 'body');
  });

  it('refuses bytes that are not UTF-8', async () => {
    const bytes = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
    const post = request(api()).post('/servers/add').type('json');
    post.write(bytes);
    const response = await post.expect(400);
    assert.match(response.body.detail, /not UTF-8/);
  });

  it('takes 64 KiB and not one byte more', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    const body = (bytes: number) => JSON.stringify({ env: { A: 'x'.repeat(bytes - 16) } });
    assert.equal(body(65_536).length, 65_536);
    await request(app).post('/servers/add').type('json').send(body(65_536)).expect(201);
    const response = await request(app).post('/servers/add').type('json').send(body(65_537)).expect(413);
    assert.equal(response.body.limit, 65_536);
    assert.equal(manager.calls.length, 1);
  });

  // A client that streams a body without end ties up memory or a connection:
  // it gets its answer and the connection is closed under it.
  it('does not read a body without end', async () => {
    const server = await startApiServer({ app: api(), host: '127.0.0.1', port: 0, log: silent });
    const socket = connect(server.port, '127.0.0.1');
    try {
      let answer = '';
      socket.setEncoding('latin1').on('data', (text: string) => {
        answer += text;
      });
      socket.on('error', () => {}); // the reset that ends the stream
      socket.write('POST /servers/add HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
      const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`;
      const send = () => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on('drain', send);
      send();
      await new Promise((resolve) => socket.on('close', resolve));
      assert.match(answer, /^HTTP\/1\.1 413 /);
      assert.match(answer, /Connection: close/i);
    } finally {
      socket.destroy();
      await server.close();
    }
  });
});
