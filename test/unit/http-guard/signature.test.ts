import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { SIGNATURE_WINDOW_MS, SignatureJudge, signatureOf } from '../../../pkg/http-guard/signature.ts';

const KEY = 'sesame-open-sesame';
const PARTS = { method: 'POST', target: '/servers/register', body: '{"agent":"a"}' };
const NOW = 1_800_000_000_000;

describe('a signed request', () => {
  it('is signed as it is documented', () => {
    const hmac = createHmac('sha256', KEY).update(`heimdall-v1\nPOST\n/servers/register\n${NOW}\n{"agent":"a"}`);
    assert.equal(signatureOf(PARTS, NOW, KEY), `t=${NOW},v1=${hmac.digest('base64url')}`);
  });

  it('is taken when it is what was signed, with the key, a moment ago', () => {
    const judge = new SignatureJudge(() => NOW + 500);
    assert.equal(judge.refusalOf(signatureOf(PARTS, NOW, KEY), PARTS, KEY), null);
  });

  it('is refused when anything of it was changed on its way, or the key is another one', () => {
    const judge = new SignatureJudge(() => NOW);
    const signed = signatureOf(PARTS, NOW, KEY);
    const kinds = [
      judge.refusalOf(signed, { ...PARTS, method: 'DELETE' }, KEY),
      judge.refusalOf(signed, { ...PARTS, target: '/servers/deregister' }, KEY),
      judge.refusalOf(signed, { ...PARTS, body: '{"agent":"b"}' }, KEY),
      judge.refusalOf(signed.replace(String(NOW), String(NOW + 1)), PARTS, KEY),
      judge.refusalOf(signed, PARTS, `${KEY}!`),
    ].map((refusal) => refusal?.kind);
    assert.deepEqual(new Set(kinds), new Set(['signature-wrong']));
    assert.equal(judge.refusalOf(signed, PARTS, KEY), null); // what was refused has used nothing up
  });

  it('is refused when the clocks are too far apart, and tells how far to whoever has the key', () => {
    for (const [offset, words] of [
      [95_000, /95 s behind/],
      [-95_000, /95 s ahead of/],
    ] as const) {
      const judge = new SignatureJudge(() => NOW + offset);
      const refusal = judge.refusalOf(signatureOf(PARTS, NOW, KEY), PARTS, KEY);
      assert.equal(refusal?.kind, 'signature-old');
      assert.match(refusal.detail, words);
      assert.equal(judge.refusalOf(signatureOf(PARTS, NOW, 'guessed'), PARTS, KEY)?.kind, 'signature-wrong');
    }
  });

  // Whoever records a request on the wire sends it again: an app that has left would be back, or one would leave that is needed.
  it('is taken once, as long as it is not too old anyway', () => {
    let now = NOW;
    const judge = new SignatureJudge(() => now);
    const signed = signatureOf(PARTS, NOW + SIGNATURE_WINDOW_MS, KEY); // its clock is ahead as far as may be
    assert.equal(judge.refusalOf(signed, PARTS, KEY), null);
    for (const later of [0, SIGNATURE_WINDOW_MS, 2 * SIGNATURE_WINDOW_MS]) {
      now = NOW + later;
      const other = { ...PARTS, body: `later ${later}` }; // comes in between
      assert.equal(judge.refusalOf(signatureOf(other, now, KEY), other, KEY), null);
      assert.equal(judge.refusalOf(signed, PARTS, KEY)?.kind, 'signature-used');
    }
    now += 1;
    assert.equal(judge.refusalOf(signed, PARTS, KEY)?.kind, 'signature-old');
  });

  // 43 characters hold two bits more than the signature has: with those changed it would look like another one.
  it('is taken in one spelling alone', () => {
    const judge = new SignatureJudge(() => NOW);
    const signed = signatureOf(PARTS, NOW, KEY);
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const spellings = Array.from(digits, (last) => signed.slice(0, -1) + last);
    assert.equal(spellings.filter((field) => judge.refusalOf(field, PARTS, KEY) === null).length, 1);
  });

  it('is refused when its field is no signature', () => {
    const judge = new SignatureJudge(() => NOW);
    const signed = signatureOf(PARTS, NOW, KEY);
    for (const field of ['', 't=1', 'v1=abc', signed.slice(0, -1), `${signed}, ${signed}`, signed.replace('t=', 't=-')])
      assert.equal(judge.refusalOf(field, PARTS, KEY)?.kind, 'signature-malformed', field);
  });
});
