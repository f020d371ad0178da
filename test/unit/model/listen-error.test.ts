import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { HeimdallError } from '../../../internal/model/errors.ts';
import { listenError } from '../../../internal/model/listen-error.ts';

const MANAGER = { key: 'manager', variable: 'MANAGER_PORT' };

function withCode(code: string): Error {
  return Object.assign(new Error(`listen ${code}`), { code });
}

function errorFor(
  error: unknown,
  host = '127.0.0.1',
  port = 7000,
  source: Parameters<typeof listenError>[3] = MANAGER,
) {
  const told = listenError(error, host, port, source);
  assert.ok(told instanceof HeimdallError);
  assert.deepEqual(told.context, { host, port });
  assert.equal(told.cause, error);
  return [told.code, told.message] as const;
}

describe('a listen that failed', () => {
  it('says that the port is in use, and how to choose another', async () => {
    const first = createServer();
    first.listen(0, '127.0.0.1');
    await once(first, 'listening');
    try {
      const { port } = first.address() as AddressInfo;
      const second = createServer().listen(port, '127.0.0.1');
      const [error] = await once(second, 'error');
      const message = `port ${port} on 127.0.0.1 is in use; stop the other program or set MANAGER_PORT or manager.port`;
      assert.deepEqual(errorFor(error, '127.0.0.1', port), ['PORT_TAKEN', message]);
    } finally {
      first.close();
    }
  });

  it('names the key alone where no variable sets the port', () => {
    const [, message] = errorFor(withCode('EADDRINUSE'), '127.0.0.1', 8081, { key: 'proxy.admin' });
    assert.match(message, /; stop the other program or set proxy\.admin\.port$/);
  });

  it('says that low ports need a privilege', () => {
    const [code, message] = errorFor(withCode('EACCES'), '127.0.0.1', 80);
    assert.equal(code, 'ADDRESS_UNUSABLE');
    assert.match(message, /^cannot listen on 127\.0\.0\.1:80: not allowed; ports below 1024/);
  });

  it('says that the address belongs to another machine', () => {
    assert.deepEqual(errorFor(withCode('EADDRNOTAVAIL'), 'fd00::7'), [
      'ADDRESS_UNUSABLE',
      'cannot listen on [fd00::7]:7000: fd00::7 is not an address of this machine; set manager.host',
    ]);
  });

  it('passes on what it does not know', () => {
    for (const error of [withCode('EMFILE'), new Error('listen EMFILE'), 'listen EMFILE']) {
      assert.deepEqual(errorFor(error), ['ADDRESS_UNUSABLE', 'cannot listen on 127.0.0.1:7000: listen EMFILE']);
    }
  });
});
