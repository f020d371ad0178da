import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Offer, offerOf } from '../../../internal/proxy/offer.ts';
import type { Upstream } from '../../../internal/proxy/upstream.ts';
import { upstream } from '../../support/proxy-fakes.ts';

function ejected(id: string, standing: Upstream['standing'] = 'ejected'): Upstream {
  return Object.assign(upstream(id), { standing });
}

function unhealthy(id: string, unreachable = false): Upstream {
  return Object.assign(upstream(id, { health: 'unhealthy' }), { unreachable });
}

function offer(ready: readonly Upstream[], panicThreshold: number, neverEmpty = true): Offer {
  return offerOf(ready, { panicThreshold, healthCheck: { neverEmpty } });
}

function namesOf({ fit, first, lastResort, onTrial }: Offer): Record<string, string> {
  const names = (list: readonly Upstream[]) => list.map(({ id }) => id).join(' ');
  return { fit: names(fit), first: names(first), lastResort: names(lastResort), onTrial: names(onTrial) };
}

describe('what a pool offers', () => {
  it('are the healthy that are not ejected first, the others when these were tried', () => {
    const ready = [upstream('a'), upstream('b'), ejected('c'), unhealthy('d'), upstream('new', { health: 'unknown' })];
    assert.deepEqual(namesOf(offer(ready, 0.5)), { fit: 'a b', first: 'a b', lastResort: 'c d', onTrial: '' });
  });

  it('are all when fewer are fit than may be: health is ignored rather than the rest overloaded', () => {
    const ready = [upstream('a'), ejected('b'), unhealthy('c')];
    assert.deepEqual(namesOf(offer(ready, 0.5)), { fit: 'a', first: 'a b c', lastResort: 'b c', onTrial: '' });
    assert.equal(namesOf(offer(ready, 0.3))['first'], 'a');
  });

  it('are not those to which nobody can connect, as long as there is somebody else', () => {
    const dead = [unhealthy('b', true), unhealthy('c', true)];
    assert.equal(namesOf(offer([upstream('a'), ...dead], 0.5))['first'], 'a');
    assert.deepEqual(namesOf(offer(dead, 0.5)), { fit: '', first: '', lastResort: 'b c', onTrial: '' });
  });

  it('are never the unhealthy where a pool may be empty, but the ejected', () => {
    const ready = [upstream('a'), ejected('b'), unhealthy('c')];
    assert.deepEqual(namesOf(offer(ready, 0.5, false)), { fit: 'a', first: 'a b', lastResort: 'b', onTrial: '' });
  });

  it('is the list of the fit itself while there are enough, so that algorithms see what they know', () => {
    const { fit, first } = offer([upstream('a'), upstream('b')], 0.5);
    assert.equal(fit, first);
  });

  it('are those on trial apart, unless their checks fail', () => {
    const failing = Object.assign(unhealthy('c'), { standing: 'on-trial' });
    const all = [upstream('a'), ejected('b', 'on-trial'), failing];
    assert.deepEqual(namesOf(offer(all, 0)), { fit: 'a', first: 'a', lastResort: 'b c', onTrial: 'b' });
  });
});
