import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RequestIds } from '../../../internal/proxy/request-ids.ts';

describe('ids of requests', () => {
  it('are never the same, whoever makes them', () => {
    const makers = [new RequestIds(), new RequestIds()];
    const ids = makers.flatMap((maker) => Array.from({ length: 100 }, () => maker.make()));
    assert.equal(new Set(ids).size, 200);
  });

  it('are known to who has made them, and to nobody before or else', () => {
    const [ours, others] = [new RequestIds(), new RequestIds()];
    const made = Array.from({ length: 40 }, () => ours.make());
    assert.ok(made.every((id) => ours.hasMade(id)));
    const next = `${made[0]?.slice(0, -1)}${(41).toString(36)}`;
    for (const id of [others.make(), next, `${made[0]}00`, made[0]?.slice(0, -1) ?? '', '', 'abc']) {
      assert.ok(!ours.hasMade(id), id);
    }
    assert.equal(ours.make(), next);
  });
});
