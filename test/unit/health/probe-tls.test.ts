import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { describe, it } from 'node:test';
import { ConnectionKeeper } from '../../../internal/health/connection-keeper.ts';
import { probe } from '../../../internal/health/probe.ts';
import { HealthCheckSchema } from '../../../internal/model/health-check.ts';
import { selfSignedCertificate } from '../../support/certificate.ts';
import { probeBackends } from '../../support/probe-backends.ts';
import { eventually } from '../../support/proxy-raw.ts';

const certificate = selfSignedCertificate();
const { sockets, listen, answer, closedPort } = probeBackends();
const check = (changes: Record<string, unknown> = {}) =>
  HealthCheckSchema.parse({ type: 'https', timeout: '10s', verifyCertificate: false, ...changes });

/** A server that notes the names its clients ask for, and the requests that reach it. */
async function secure() {
  const names: unknown[] = [];
  const requests: string[] = [];
  const server = createServer(certificate, (request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers.host}`);
    response.end('ok');
  });
  server.on('secureConnection', (socket: TLSSocket) => names.push(socket.servername));
  return { target: await listen(server), names, requests };
}

describe('an HTTPS probe', () => {
  it('asks over TLS, and reads the body', async () => {
    const { target, requests } = await secure();
    const { passed, cause } = await probe(target, check({ body: 'ok', path: '/up' }));
    assert.equal(passed, true, cause);
    assert.match(cause, /^passed \(200 in \d+ ms\)$/);
    assert.deepEqual(requests, [`GET /up 127.0.0.1:${target.port}`]);
  });

  it('asks for the certificate of the configured host, and of none for an address', async () => {
    const { target, names } = await secure();
    await probe(target, check({ host: 'app.example:8443' }));
    await probe(target, check());
    await probe(target, check({ host: '[::1]:443' }));
    assert.deepEqual(names, ['app.example', false, false]);
  });

  // Whoever answers in the instance's place would otherwise learn what the fields of the probe say.
  it('refuses a certificate that nobody vouches for, and has sent nothing by then', async () => {
    const { target, requests } = await secure();
    const { passed, cause } = await probe(target, check({ verifyCertificate: true, host: 'localhost' }));
    assert.deepEqual({ passed, cause }, { passed: false, cause: 'self-signed certificate' });
    assert.deepEqual(requests, []);
    await eventually('the connection is closed', () => sockets.size === 0);
  });

  it('names what went wrong with a server that speaks no TLS, or is not there', async () => {
    assert.match((await probe(await answer(200), check())).cause, /^TLS: /);
    assert.equal((await probe({ host: '127.0.0.1', port: await closedPort() }, check())).cause, 'connect ECONNREFUSED');
  });

  it('keeps its connection, too', async () => {
    const { target, names } = await secure();
    const keeper = new ConnectionKeeper();
    for (let n = 0; n < 3; n++) assert.equal((await probe(target, check(), undefined, keeper)).passed, true);
    assert.equal(names.length, 1);
    keeper.close();
    await eventually('it is closed', () => sockets.size === 0);
  });
});
