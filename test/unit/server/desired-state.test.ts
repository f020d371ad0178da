import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { declaredInstances, type Instance } from '../../../internal/model/instance.ts';
import { desiredStateOf, firstToGo, standing } from '../../../internal/server/desired-state.ts';
import { service } from '../../support/server-fixture.ts';

const [template] = declaredInstances(service({ servers: ['127.0.0.1:9000'] }));

function instance(port: number, startedAt: number | null, lifecycle: Instance['lifecycle'] = 'ready'): Instance {
  assert.ok(template);
  return { ...template, id: `web-${port}`, port, startedAt, lifecycle };
}

describe('desiredStateOf', () => {
  it('takes the configured number when the service is new, and one by default', () => {
    const state = { desired: 3, configured: 3 };
    assert.deepEqual(desiredStateOf(service({ instances: 3 }), undefined), state);
    assert.equal(desiredStateOf(service({ instances: undefined }), undefined).desired, 1);
    assert.equal(desiredStateOf(service({ instances: 0 }), undefined).desired, 0);
  });

  it('leaves what was added or removed alone until the configured number changes', () => {
    const known = { desired: 5, configured: 3 };
    assert.equal(desiredStateOf(service({ instances: 3 }), known), known);
    assert.equal(desiredStateOf(service({ instances: 4 }), known).desired, 4);
  });

  it('is nothing for a service that has lost its command', () => {
    const known = { desired: 5, configured: 0 };
    assert.equal(desiredStateOf(service({ command: undefined }), known).desired, 0);
  });
});

describe('the instances of a service', () => {
  it('do not count once they drain', () => {
    const rows = [instance(1, 1), instance(2, 2, 'draining'), instance(3, 3, 'failed')];
    assert.deepEqual(
      standing(rows, 'web').map(({ port }) => port),
      [1, 3],
    );
    assert.deepEqual(standing(rows, 'api'), []);
  });

  it('go in the order newest first, those that never ran before all others', () => {
    const rows = [instance(1, 10), instance(2, 30), instance(3, null), instance(4, 30)];
    assert.deepEqual(
      firstToGo(rows, 3, null).map(({ port }) => port),
      [3, 4, 2],
    );
  });

  it('go when they do not run, or run another release, before those that do', () => {
    const rows = [
      { ...instance(1, 40), deployment: 2 },
      { ...instance(2, 30), deployment: 1 },
      instance(3, 10, 'failed'),
      { ...instance(4, 50), deployment: 2 },
    ];
    assert.deepEqual(
      firstToGo(rows, 3, 2).map(({ port }) => port),
      [3, 2, 4],
    );
  });

  it('all stay when there is no surplus', () => {
    assert.deepEqual(firstToGo([instance(1, 10), instance(2, 30)], 0, null), []);
    assert.deepEqual(firstToGo([instance(1, 10), instance(2, 30)], -1, null), []);
  });
});
