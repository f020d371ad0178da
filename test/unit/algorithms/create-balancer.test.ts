import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBalancer } from '../../../internal/algorithms/create-balancer.ts';
import { ALGORITHMS } from '../../../internal/model/algorithms.ts';
import { ServiceSchema } from '../../../internal/model/service.ts';
import { candidate, request } from './candidates.ts';

describe('createBalancer', () => {
  for (const algorithm of ALGORITHMS) {
    it(`makes ${algorithm} from a service of the configuration`, () => {
      const service = ServiceSchema.parse({ name: 'web', algorithm });
      assert.equal(createBalancer(service).algorithm, algorithm);
    });
  }

  it('hands the balance factor to ip-url-hash', () => {
    const all = [candidate('a'), candidate('b')];
    const strict = createBalancer({ algorithm: 'ip-url-hash', hash: { balanceFactor: null } });
    const bounded = createBalancer({ algorithm: 'ip-url-hash', hash: { balanceFactor: 1.25 } });
    const own = strict.pick(all, request());
    own.inFlight = 10;
    assert.equal(strict.pick(all, request()), own);
    assert.notEqual(bounded.pick(all, request()), own);
  });

  it('hands the source of randomness to random-two-choices', () => {
    const settings = { algorithm: 'random-two-choices', hash: { balanceFactor: null } } as const;
    const all = [candidate('a'), candidate('b')];
    assert.equal(createBalancer(settings, undefined, () => 0).pick(all, request()).id, 'a');
    assert.equal(createBalancer(settings, undefined, () => 0.99).pick(all, request()).id, 'b');
  });
});
