import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeimdallError, hasCode } from '../../../internal/model/errors.ts';
import { InstanceRow } from '../../../internal/server/row.ts';
import { DRAFT } from '../../support/instance-draft.ts';
import { Site, until } from '../../support/server-fixture.ts';

async function reserved(site: Site) {
  const [instance] = await site.registry.reserve([DRAFT], [site.ports.from], 1);
  assert.ok(instance);
  const state = { cut: false };
  const registry = {
    ...site.registry,
    update: async (...args: Parameters<Site['registry']['update']>) => {
      if (state.cut) throw new HeimdallError('REGISTRY_UNAVAILABLE', 'cut off');
      return site.registry.update(...args);
    },
  };
  const row = new InstanceRow(instance, registry, site.log, new AbortController().signal);
  return { row, state, stored: async () => (await site.registry.snapshot()).instances[0] };
}

describe('the row of an instance', () => {
  it('remembers at once what was recorded, and sends it in order when the registry is back', async () => {
    await using site = await Site.open();
    const { row, state, stored } = await reserved(site);
    state.cut = true;
    row.record({ lifecycle: 'backing-off', lastError: 'boom' });
    row.record({ lifecycle: 'starting' });
    row.record({ lifecycle: 'ready', lastError: null });
    await row.settled();
    assert.equal(row.instance.lifecycle, 'ready');
    assert.equal((await stored())?.lifecycle, 'starting');
    state.cut = false;
    await until('all of it to be sent', async () => (await stored())?.lifecycle === 'ready');
  });

  it('changes nothing when a decision cannot be written', async () => {
    await using site = await Site.open();
    const { row, state } = await reserved(site);
    state.cut = true;
    await assert.rejects(row.commit({ lifecycle: 'draining', desiredDelta: -1 }), (error) =>
      hasCode(error, 'REGISTRY_UNAVAILABLE'),
    );
    assert.equal(row.instance.lifecycle, 'starting');
    assert.equal(await site.desired(), 1);
    state.cut = false;
    const revision = await row.commit({ lifecycle: 'draining', desiredDelta: -1 });
    assert.equal(revision, (await site.registry.snapshot()).revision);
    assert.equal(await site.desired(), 0);
  });

  it('goes on after a change that the registry refuses', async () => {
    await using site = await Site.open();
    const { row, stored } = await reserved(site);
    await row.commit({ lifecycle: 'draining' });
    row.record({ lifecycle: 'ready' });
    row.record({ lastError: 'late' });
    await row.settled();
    assert.equal((await stored())?.lifecycle, 'draining');
    assert.equal((await stored())?.lastError, 'late');
  });
});
