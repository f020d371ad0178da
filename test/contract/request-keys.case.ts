import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { RegistryWriter } from '../../internal/registry/registry.ts';
import { MOST_ANSWER_BYTES, REQUEST_KEY_MS } from '../../internal/registry/request-keys.ts';
import type { StoreUnderTest } from './registry.case.ts';

const CLAIM = { owner: '', key: 'k-1', fingerprint: 'POST /servers/add' };
const ANSWER = { status: 201, fields: { Location: '/servers/a' }, body: '{"id": "a"}\n' };

/** What every registry driver must do about requests that must not be carried out twice. */
export function requestKeysContract(name: string, createStore: () => Promise<StoreUnderTest>): void {
  describe(`request keys contract: ${name}`, () => {
    let store: StoreUnderTest;
    let manager: RegistryWriter;
    let now = 1_000_000;
    const clock = () => now;
    const pass = async (ms: number) => {
      now += ms;
      await store.pass(ms);
    };

    beforeEach(async () => {
      store = await createStore();
      manager = await store.openManager(clock);
    });
    afterEach(async () => {
      await manager.close();
      await store.dispose();
    });

    it('gives a key to the first of two that ask at once, and tells the other whose it is', async () => {
      const answers = await Promise.all([manager.requestKeys.claim(CLAIM), manager.requestKeys.claim(CLAIM)]);
      assert.deepEqual(answers, [null, { fingerprint: CLAIM.fingerprint, answer: null, isOurs: true }]);
      assert.equal(await store.ordinal((await manager.snapshot()).revision), 0);
    });

    it('keeps the answer over the end of the manager, and what it has left without one', async () => {
      const open = { ...CLAIM, key: 'k-2' };
      await manager.requestKeys.claim(CLAIM);
      await manager.requestKeys.settle(CLAIM, ANSWER);
      await manager.requestKeys.claim(open);
      await manager.close();
      manager = await store.openManager(clock);
      const other = { ...CLAIM, fingerprint: 'POST /reload' };
      assert.deepEqual(await manager.requestKeys.claim(other), {
        fingerprint: CLAIM.fingerprint,
        answer: ANSWER,
        isOurs: false,
      });
      assert.deepEqual(await manager.requestKeys.claim(open), {
        fingerprint: open.fingerprint,
        answer: null,
        isOurs: false,
      });
    });

    it('gives up a key whose answer nobody will ever know, unless it has one', async () => {
      const open = { ...CLAIM, key: 'k-2' };
      for (const claim of [CLAIM, open]) await manager.requestKeys.claim(claim);
      await manager.requestKeys.settle(CLAIM, ANSWER);
      for (const claim of [CLAIM, open]) await manager.requestKeys.giveUp(claim);
      const { fingerprint } = CLAIM;
      assert.deepEqual(await manager.requestKeys.claim(CLAIM), { fingerprint, answer: ANSWER, isOurs: true });
      assert.deepEqual(await manager.requestKeys.claim(open), { fingerprint, answer: null, isOurs: false });
    });

    it('forgets what is released, unless it has an answer, and tells owners apart', async () => {
      const other = { ...CLAIM, owner: 'somebody' };
      assert.deepEqual([await manager.requestKeys.claim(CLAIM), await manager.requestKeys.claim(other)], [null, null]);
      await manager.requestKeys.release(CLAIM);
      assert.equal(await manager.requestKeys.claim(CLAIM), null);
      await manager.requestKeys.settle(other, ANSWER);
      await manager.requestKeys.release(other);
      assert.deepEqual((await manager.requestKeys.claim(other))?.answer, ANSWER);
    });

    it('forgets a key after a day', async () => {
      await manager.requestKeys.claim(CLAIM);
      await pass(REQUEST_KEY_MS);
      assert.notEqual(await manager.requestKeys.claim(CLAIM), null);
      await pass(1);
      assert.equal(await manager.requestKeys.claim(CLAIM), null);
    });

    it('forgets the oldest when there are too many', async () => {
      const claims = Array.from({ length: store.mostRequestKeys + 1 }, (_, index) => ({ ...CLAIM, key: `k-${index}` }));
      await Promise.all(claims.map((claim) => manager.requestKeys.claim(claim)));
      const [first, second] = claims;
      assert.ok(first && second);
      assert.notEqual(await manager.requestKeys.claim(second), null);
      assert.equal(await manager.requestKeys.claim(first), null);
    });

    it('forgets the oldest when the answers are too large together', async () => {
      const large = { ...ANSWER, body: 'x'.repeat(MOST_ANSWER_BYTES / 2) };
      const claims = ['k-1', 'k-2', 'k-3'].map((key) => ({ ...CLAIM, key }));
      for (const [index, claim] of claims.entries()) {
        await manager.requestKeys.claim(claim);
        await manager.requestKeys.settle(claim, index === 1 ? ANSWER : large);
      }
      const known = [];
      for (const claim of claims) known.push((await manager.requestKeys.claim(claim))?.answer?.status);
      assert.deepEqual(known, [undefined, 201, 201]);
    });
  });
}
