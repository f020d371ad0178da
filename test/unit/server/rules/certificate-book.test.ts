import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { after, describe, it } from 'node:test';
import { createServer } from 'node:tls';
import { validToOf } from '../../../../internal/server/rules/certificate-book.ts';
import { selfSignedCertificate } from '../../../support/certificate.ts';
import { closedPort } from '../../../support/proxy-raw.ts';

describe('the end of a certificate', () => {
  const servers: Server[] = [];
  const portOf = async (server: Server) => {
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  after(() => {
    for (const server of servers) server.close();
  });

  it('is read from whoever shows one, trusted or not', async () => {
    const names: string[] = [];
    const SNICallback = (name: string, done: (error: null) => void) => {
      names.push(name);
      done(null);
    };
    const server = createServer({ ...selfSignedCertificate(), SNICallback });
    const port = await portOf(server);
    const end = await validToOf({ host: '127.0.0.1', port, name: 'example.com' });
    assert.equal(new Date(end).toISOString(), '2049-01-01T00:00:00.000Z');
    await validToOf({ host: '127.0.0.1', port, name: '127.0.0.1' });
    assert.deepEqual(names, ['example.com'], 'an address is no name to ask for');
  });

  it('cannot be had from whoever is not there, or speaks no TLS', async () => {
    await assert.rejects(validToOf({ host: '127.0.0.1', port: await closedPort(), name: 'x' }), /ECONNREFUSED/);
    const port = await portOf(createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    await assert.rejects(validToOf({ host: '127.0.0.1', port, name: 'x' }));
  });
});
