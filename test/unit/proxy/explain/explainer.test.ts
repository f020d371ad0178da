import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Explainer, explainerFor, type Followed } from '../../../../internal/proxy/explain/explainer.ts';
import type { Trail } from '../../../../internal/proxy/explain/trail.ts';
import { Lease } from '../../../../internal/proxy/lease.ts';
import type { Outcome } from '../../../../internal/proxy/outcome.ts';
import { RequestIds } from '../../../../internal/proxy/request-ids.ts';
import { upstream } from '../../../support/proxy-fakes.ts';

const OWNER = { observed() {}, gatewayError() {}, released() {} };
const COMPLETED: Outcome = { kind: 'completed', status: 200 };
const RESET: Outcome = { kind: 'reset', cause: 'ECONNRESET' };

let clock = 1_000;
const now = () => clock;

function explainerOf(keep: number, perSecond = 1_000): Explainer {
  return new Explainer({ keep, perSecond }, new RequestIds(), now);
}

/** A request with one attempt for each outcome. */
function request(id: string, outcomes: readonly Outcome[] = [COMPLETED], size = 3): Followed {
  const leases = outcomes.map((outcome) => {
    const lease = new Lease(OWNER, upstream('web-1'), false, now);
    lease.release(outcome);
    return lease;
  });
  const context: { trail: Trail | null } = { trail: null };
  const facts = {
    id,
    client: '',
    method: 'GET',
    host: '',
    target: '/',
    service: 'web',
    algorithm: 'least-time',
    trace: null,
  };
  return {
    context,
    pool: { size },
    status: leases.at(-1)?.outcome?.kind === 'completed' ? 200 : 502,
    leases,
    refusal: null,
    notRepeated: null,
    facts: () => ({ ...facts, leases }),
  };
}

function passes(explainer: Explainer, ...requests: Followed[]): void {
  for (const each of requests) {
    explainer.sample(each, now());
    explainer.over(each);
  }
}

describe('an explainer', () => {
  it('forgets the oldest for the newest', () => {
    const explainer = explainerOf(2);
    passes(explainer, request('a'), request('b'), request('c'));
    assert.equal(explainer.find('a').found, null);
    assert.equal(explainer.find('b').found?.status, 200);
    assert.equal(explainer.find('c').kept, 2);
  });

  it('keeps what went badly while ordinary ones come and go', () => {
    const explainer = explainerOf(2);
    passes(explainer, request('bad', [RESET]), request('again', [RESET, COMPLETED]));
    passes(explainer, ...['a', 'b', 'c', 'd'].map((id) => request(id)));
    assert.equal(explainer.find('bad').found?.status, 502);
    assert.equal(explainer.find('again').found?.attempts.length, 2);
    assert.equal(explainer.find('d').kept, 4);
    passes(explainer, request('worse', []), request('worst', [RESET]));
    assert.deepEqual([explainer.find('bad').found, explainer.find('again').found], [null, null]);
  });

  it('tells of the last one when a client uses an id again', () => {
    const explainer = explainerOf(2);
    passes(explainer, request('same'), request('same', [{ kind: 'completed', status: 200 }, COMPLETED]), request('a'));
    assert.equal(explainer.find('same').found?.attempts.length, 2, 'that the older one goes does not matter');
  });

  it('records so many of a second, fewer of a large pool, and so many that go badly', () => {
    const found = (explainer: Explainer) =>
      Array.from({ length: 50 }, (_, n) => `id-${n}`).filter((id) => explainer.find(id).found);
    const every = (outcomes: readonly Outcome[], size?: number) =>
      Array.from({ length: 50 }, (_, n) => request(`id-${n}`, outcomes, size));
    const [small, large, bad] = [explainerOf(100, 10), explainerOf(100, 10), explainerOf(100, 10)];
    passes(small, ...every([COMPLETED]));
    passes(large, ...every([COMPLETED], 250));
    passes(bad, ...every([RESET]));
    assert.deepEqual([found(small).length, found(large).length], [10, 2]);
    assert.deepEqual(found(bad).length, 10, 'of those that were sampled the reserve keeps ten');
    clock += 1_000;
    passes(small, ...every([COMPLETED]));
    passes(bad, request('late', [RESET]));
    assert.equal(bad.find('late').found?.sampled, true);
  });

  it('follows what has to wait, and tells so while it does', () => {
    const explainer = explainerOf(10, 1);
    passes(explainer, request('first'));
    const waiting = request('waits');
    explainer.sample(waiting, now());
    assert.ok(explainer.find('waits').found === null);
    explainer.follow(waiting);
    waiting.context.trail?.waits('busy');
    clock += 50;
    assert.deepEqual(explainer.find('waits').found?.waits, [{ why: 'busy', afterMs: 0, ms: null }]);
    waiting.context.trail?.waited(now());
    explainer.over(waiting);
    assert.deepEqual(explainer.find('waits').found?.waits, [{ why: 'busy', afterMs: 0, ms: 50 }]);
    assert.equal(explainer.find('waits').found?.sampled, false);
  });

  it('keeps no more of what a client has sent than it tells', () => {
    const explainer = explainerOf(1_000);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    const heapUsed = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = heapUsed();
    for (let n = 0; n < 1_000; n += 1) {
      const head = Buffer.alloc(16_000, `GET /a/path/of/some/length ${n}`).toString('latin1');
      const [target, host] = [head.slice(4, 26), head.slice(30, 60)];
      const trace = { traceId: head.slice(60, 92), sampled: true };
      explainer.refuse({ id: `id-${n}`, client: '', method: 'GET', host, target, service: null, trace }, 404, null);
    }
    const kept = heapUsed() - before;
    assert.ok(kept < 8e6, `${kept} octets`);
    assert.equal(explainer.find('id-999').found?.target, '/a/path/of/some/length');
    clock += 1_000;
    const target = `/${'x'.repeat(5_000)}`;
    const facts = { client: '', method: 'GET', host: '', service: null, trace: null };
    explainer.refuse({ ...facts, id: 'long', target }, 404, null);
    assert.equal(explainer.find('long').found?.target, `${target.slice(0, 1_024)}…`);
  });

  it('tells since when it keeps what it keeps', () => {
    const explainer = explainerOf(2);
    assert.equal(explainer.find('a').since, null);
    passes(explainer, request('a'));
    const { since } = explainer.find('b');
    clock += 5_000;
    assert.ok(Math.abs(Date.now() - (since ?? 0)) < 2_000);
    assert.ok(Math.abs(Date.now() - 5_000 - (explainer.find('b').since ?? 0)) < 2_000);
  });

  it('lives on while its settings stay', () => {
    const ids = new RequestIds();
    const first = explainerFor({ keep: 5, perSecond: 10 }, { explainer: null, ids, now });
    assert.equal(explainerFor({ keep: 5, perSecond: 10 }, { explainer: first, ids, now }), first);
    assert.notEqual(explainerFor({ keep: 6, perSecond: 10 }, { explainer: first, ids, now }), first);
    assert.equal(explainerFor({ keep: 0, perSecond: 10 }, { explainer: first, ids, now }), null);
  });
});
