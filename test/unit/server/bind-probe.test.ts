import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { isPortFree } from '../../../internal/server/bind-probe.ts';
import { freeRange } from '../../support/server-fixture.ts';

describe('isPortFree', () => {
  for (const host of ['127.0.0.1', '0.0.0.0', '::', '::1']) {
    it(`sees a listener on ${host}, and that it has gone`, async (test) => {
      const port = await freeRange(1);
      const server = createServer();
      server.listen({ port, host, ipv6Only: true });
      const [error] = await Promise.race([once(server, 'listening'), once(server, 'error')]);
      if (error) return test.skip('no such address here');
      assert.equal(await isPortFree(port), false);
      server.close();
      await once(server, 'close');
      assert.equal(await isPortFree(port), true);
    });
  }
});
