import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { detailsKey } from '../../../internal/dashboard/live/details-key.ts';
import type { EventView } from '../../../internal/model/event-view.ts';
import { liveService } from '../../support/live-state.ts';

const event = (id: number, type: EventView['type']) => ({ id, type });

describe('the details of a service', () => {
  const web = liveService('web');
  const before = detailsKey(web, [event(4, 'instance.ready'), event(3, 'config.applied')], [{ id: 1, service: 'web' }]);

  it('are asked for again after a change of the configuration, a release, and when a deployment is told no more', () => {
    const events = [event(3, 'config.applied')];
    const live = [{ id: 1, service: 'web' }];
    assert.notEqual(detailsKey(web, [event(9, 'config.applied'), ...events], live), before);
    assert.notEqual(detailsKey({ ...web, release: { ...web.release, deployment: 1 } }, events, live), before);
    assert.notEqual(detailsKey(web, events, []), before);
  });

  it('are not asked for again for anything else', () => {
    const events = [event(8, 'instance.ready'), event(3, 'config.applied')];
    const live = [
      { id: 2, service: 'api' },
      { id: 1, service: 'web' },
    ];
    assert.equal(detailsKey(liveService('web', { desired: 9 }), events, live), before);
  });
});
