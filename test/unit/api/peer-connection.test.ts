import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as breathe } from 'node:timers/promises';
import { endWithManager } from '../../../internal/api/peer-connection.ts';
import { HeimdallError } from '../../../internal/model/errors.ts';

describe('a call to the manager of another node', () => {
  it('ends when that hangs: it gives no sign of life for ten seconds', async (t) => {
    const hanging = createServer(() => {}).listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    t.after(() => {
      hanging.closeAllConnections();
      hanging.close();
    });
    const call = request({ port: (hanging.address() as AddressInfo).port }).end();
    let fault: Error | null = null;
    call.on('error', (error) => (fault = error));
    await once(hanging, 'request');
    t.mock.timers.enable({ apis: ['setInterval'] });

    let state: 'there' | 'NODE_AWAY' | 'REGISTRY_UNAVAILABLE' = 'there';
    const peer = async () => {
      if (state !== 'there') throw new HeimdallError(state, 'as it is now');
      return null;
    };
    endWithManager(call, { node: 'b', url: 'http://b' }, { peer });
    const pass = async (seconds: number) => {
      for (let second = 0; second < seconds; second += 1) {
        t.mock.timers.tick(1_000);
        await breathe();
      }
    };
    await pass(60); // however long its answer takes
    state = 'REGISTRY_UNAVAILABLE';
    await pass(60); // nobody knows
    state = 'NODE_AWAY';
    await pass(9);
    state = 'there';
    await pass(1); // it was out of touch for a moment
    state = 'NODE_AWAY';
    await pass(9);
    assert.equal(fault, null);
    await pass(1);
    assert.match(String(fault), /no sign of life for 10 s/);
  });
});
