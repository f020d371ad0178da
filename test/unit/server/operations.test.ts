import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Operations } from '../../../internal/server/operations.ts';

describe('operations on a service', () => {
  it('go one after the other, in the order in which they were asked for, also after one that fails', async () => {
    const operations = new Operations();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = operations.run('web', async () => {
      order.push('first begins');
      await gate.promise;
      order.push('first ends');
      throw new Error('no luck');
    });
    const second = operations.run('web', async () => order.push('second'));
    gate.resolve();
    await assert.rejects(first, /no luck/);
    await second;
    assert.deepEqual(order, ['first begins', 'first ends', 'second']);
  });

  it('do not wait for those on another service', async () => {
    const operations = new Operations();
    void operations.run('web', () => new Promise(() => {}));
    assert.equal(await operations.run('api', async () => 'done'), 'done');
  });

  it('are not begun at all when they may not wait', async () => {
    const operations = new Operations();
    const gate = Promise.withResolvers<void>();
    const first = operations.run('web', () => gate.promise);
    assert.equal(operations.isBusy('web'), true);
    assert.equal(
      operations.tryRun('web', async () => {}),
      null,
    );
    gate.resolve();
    await first;
    await operations.settled();
    assert.equal(operations.isBusy('web'), false);
    assert.equal(await operations.tryRun('web', async () => 5), 5);
  });
});
