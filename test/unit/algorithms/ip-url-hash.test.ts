import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hash32 } from '../../../internal/algorithms/hash.ts';
import { IpUrlHash } from '../../../internal/algorithms/ip-url-hash.ts';
import { candidate, request, type TestCandidate, tally } from './candidates.ts';

const KEYS = Array.from({ length: 20_000 }, (_, n) => hash32(`10.0.${n >> 8}.${n & 255}/items`));

const strict = new IpUrlHash({ balanceFactor: null });

function pickFor(key: number, candidates: readonly TestCandidate[], balancer = strict): string {
  return balancer.pick(candidates, request({ hash: key })).id;
}

function pool(size: number): TestCandidate[] {
  return Array.from({ length: size }, (_, n) => candidate(`web@127.0.0.1:${9000 + n}`));
}

describe('ip-url-hash', () => {
  it('sends a key to the same candidate whatever the order of the list and the load', () => {
    const all = pool(7);
    const shuffled = all.toReversed().map((one, n) => ({ ...one, inFlight: n * 100 }));
    for (const key of KEYS.slice(0, 2_000)) assert.equal(pickFor(key, shuffled), pickFor(key, all));
  });

  it('does not let the order of the list decide between candidates of equal hashes', () => {
    const [a, b] = [
      { ...candidate('a'), seed: 7 },
      { ...candidate('b'), seed: 7 },
    ];
    assert.equal(pickFor(42, [a, b]), pickFor(42, [b, a]));
  });

  it('gives the same answer in another balancer, such as that of the next process', () => {
    const other = new IpUrlHash({ balanceFactor: null });
    for (const key of KEYS.slice(0, 2_000)) assert.equal(pickFor(key, pool(5), other), pickFor(key, pool(5)));
  });

  it('moves exactly the keys of a removed candidate, about 1/n of all', () => {
    const all = pool(8);
    const gone = all[3] ?? assert.fail();
    const rest = all.filter((one) => one !== gone);
    let moved = 0;
    for (const key of KEYS) {
      const before = pickFor(key, all);
      if (before === gone.id) moved += 1;
      else assert.equal(pickFor(key, rest), before);
    }
    assert.ok(Math.abs(moved / KEYS.length - 1 / 8) < 0.01, `${moved} of ${KEYS.length} keys moved`);
  });

  it('spreads the keys of a removed candidate over all that stay', () => {
    const all = pool(5);
    const gone = all[0] ?? assert.fail();
    const rest = all.slice(1);
    const orphans = KEYS.filter((key) => pickFor(key, all) === gone.id);
    const counts = tally(orphans.map((key) => pickFor(key, rest)));
    for (const { id } of rest) assert.ok(Math.abs((counts.get(id) ?? 0) / orphans.length - 1 / 4) < 0.03);
  });

  it('gives candidates keys by their weight', () => {
    const all = pool(4);
    const weights = [1, 2, 3, 10];
    for (const [n, one] of all.entries()) one.weight = weights[n] ?? 1;
    const counts = tally(KEYS.map((key) => pickFor(key, all)));
    for (const { id, weight } of all) assert.ok(Math.abs((counts.get(id) ?? 0) / KEYS.length - weight / 16) < 0.01);
  });

  it('moves keys only toward a candidate whose weight grows', () => {
    const all = pool(4);
    const before = KEYS.map((key) => pickFor(key, all));
    const grown = all[2] ?? assert.fail();
    grown.weight = 3;
    const after = KEYS.map((key) => pickFor(key, all));
    for (const [n, id] of after.entries()) assert.ok(id === before[n] || id === grown.id);
    assert.notDeepEqual(after, before);
  });
});

describe('ip-url-hash with bounded load', () => {
  it('keeps the key where it is while the load is even', () => {
    const bounded = new IpUrlHash({ balanceFactor: 1.25 });
    const all = pool(4);
    for (const one of all) one.inFlight = 10;
    for (const key of KEYS.slice(0, 1_000)) assert.equal(pickFor(key, all, bounded), pickFor(key, all));
  });

  it('falls to the next in the order of the key when its candidate is full', () => {
    const bounded = new IpUrlHash({ balanceFactor: 1.25 });
    const all = pool(4);
    for (const key of KEYS.slice(0, 200)) {
      const own = pickFor(key, all);
      const others = all.filter(({ id }) => id !== own);
      const loaded = all.map((one) => ({ ...one, inFlight: one.id === own ? 5 : 1 }));
      assert.equal(pickFor(key, loaded, bounded), pickFor(key, others));
    }
  });

  it('lets no candidate carry more than ceil((in flight + 1) · factor · share) under one hot key', () => {
    const bounded = new IpUrlHash({ balanceFactor: 1.25 });
    const all = pool(4);
    for (const [n, one] of all.entries()) one.weight = n + 1;
    for (let inFlight = 0; inFlight < 500; inFlight += 1) {
      const picked = bounded.pick(all, request({ hash: 42 }));
      assert.ok(picked.inFlight < Math.ceil(((inFlight + 1) * 1.25 * picked.weight) / 10));
      picked.inFlight += 1;
    }
  });

  it('finds a candidate with the tightest factor and any load', () => {
    const bounded = new IpUrlHash({ balanceFactor: 1 + Number.EPSILON });
    const all = pool(3);
    for (const one of all) one.weight = 0.1;
    for (let inFlight = 0; inFlight < 3_000; inFlight += 1)
      bounded.pick(all, request({ hash: inFlight })).inFlight += 1;
    for (const { inFlight } of all) assert.ok(Math.abs(inFlight - 1_000) <= 2, `${inFlight} in flight`);
  });
});
