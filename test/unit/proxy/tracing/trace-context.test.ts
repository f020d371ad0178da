import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatTraceparent,
  keptTracestate,
  parseTraceparent,
} from '../../../../internal/proxy/tracing/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('a traceparent', () => {
  it('tells trace, span and whether the caller records', () => {
    assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-01`), { traceId: TRACE, spanId: SPAN, sampled: true });
    assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-00`)?.sampled, false);
  });

  it('has flags of which only the last bit counts', () => {
    assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-ff`)?.sampled, true);
    assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-fe`)?.sampled, false);
  });

  it('of a later version counts for what it has in common with the first', () => {
    for (const value of [
      `01-${TRACE}-${SPAN}-01`,
      `cc-${TRACE}-${SPAN}-01-`,
      `cc-${TRACE}-${SPAN}-01-what-the-future-brings`,
    ]) {
      assert.deepEqual(parseTraceparent(value), { traceId: TRACE, spanId: SPAN, sampled: true }, value);
    }
  });

  it('that breaks a rule counts as none', () => {
    for (const value of [
      '',
      '00',
      `ff-${TRACE}-${SPAN}-01`, // §3.2.2.1
      `00-${TRACE}-${SPAN}-01-`,
      `00-${TRACE}-${SPAN}-01-more`,
      `cc-${TRACE}-${SPAN}-01.more`,
      `cc-${TRACE}-${SPAN}-0100`,
      `00-${'0'.repeat(32)}-${SPAN}-01`, // §3.2.2.3
      `00-${TRACE}-${'0'.repeat(16)}-01`, // §3.2.2.4
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${TRACE}-${SPAN.toUpperCase()}-01`,
      `0A-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-0A`,
      `00-${TRACE}-${SPAN}`,
      `00-${TRACE}-${SPAN}-`,
      `00-${TRACE}-${SPAN}-1`,
      `00-${TRACE}-${SPAN}-001`,
      `00-${TRACE.slice(1)}-${SPAN}-01`,
      `00-${TRACE}0-${SPAN}-01`,
      `00-${TRACE}-${SPAN.slice(1)}-01`,
      `00-${TRACE}-${SPAN}0-01`,
      `00-${TRACE.slice(0, -1)}.-${SPAN}-01`,
      `.0-${TRACE}-${SPAN}-01`,
      `0-${TRACE}-${SPAN}-01`,
      `00_${TRACE}_${SPAN}_01`,
      `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    ]) {
      assert.equal(parseTraceparent(value), null, value);
    }
  });

  it('is written in the first version, with the one flag that it has', () => {
    assert.equal(formatTraceparent({ traceId: TRACE, spanId: SPAN, sampled: true }), `00-${TRACE}-${SPAN}-01`);
    assert.equal(formatTraceparent({ traceId: TRACE, spanId: SPAN, sampled: false }), `00-${TRACE}-${SPAN}-00`);
  });
});

describe('a tracestate', () => {
  it('is passed on, without blanks and empty members between its members', () => {
    assert.equal(keptTracestate('foo=1'), 'foo=1');
    assert.equal(keptTracestate('foo=1 \t , \t bar=2, '), 'foo=1,bar=2');
    assert.equal(keptTracestate('foo=1,'), 'foo=1');
    assert.equal(keptTracestate('foo=,bar=3'), '');
    assert.equal(keptTracestate(''), '');
    assert.equal(keptTracestate(' , '), '');
  });

  it('keeps members with the same key as they are', () => {
    assert.equal(keptTracestate('foo=1,foo=2'), 'foo=1,foo=2');
  });

  it('has keys of one party, or of a tenant at one', () => {
    const long = [`${'z'.repeat(256)}=1`, `${'t'.repeat(241)}@${'v'.repeat(14)}=1`];
    for (const state of ['a-_*/9=1', '9@a=1', 't-_*/@v-_*/=1', ...long]) assert.equal(keptTracestate(state), state);
    const wrong = ['foo =1', 'FOO=1', 'foo.bar=1', '9=1', 'foo@=1', '@foo=1', 'foo@@bar=1', 'foo@9=1', '=1', 'foo'];
    const tooLong = [`${'z'.repeat(257)}=1`, `${'t'.repeat(242)}@v=1`, `t@${'v'.repeat(15)}=1`];
    for (const state of [...wrong, ...tooLong]) assert.equal(keptTracestate(state), '', state);
  });

  it('has values of visible characters and blanks, but for commas, equals signs and a blank at the end', () => {
    const most = String.fromCharCode(...Array.from({ length: 0x7f - 0x20 }, (_, i) => 0x20 + i)).replaceAll(
      /[,=]/g,
      '',
    );
    for (const state of [`foo=${most}`, `foo=${'v'.repeat(256)}`]) assert.equal(keptTracestate(state), state);
    for (const state of ['foo=bar=baz', 'foo=é', 'foo=a\tb', `foo=${'v'.repeat(257)}`, 'foo=1;=']) {
      assert.equal(keptTracestate(state), '', state);
    }
  });

  it('has at most 32 members', () => {
    const members = (count: number) => Array.from({ length: count }, (_, i) => `bar${i}=${i}`).join(',');
    assert.equal(keptTracestate(members(32)), members(32));
    assert.equal(keptTracestate(members(33)), '');
  });

  it('that is longer than 512 characters loses long members first, and then those at its end', () => {
    const short = Array.from({ length: 8 }, (_, i) => `k${i}=${'v'.repeat(57)}`); // 60 and a comma each
    const long = `long=${'v'.repeat(140)}`;
    assert.equal(keptTracestate([long, ...short].join(',')), short.join(','));
    assert.equal(
      keptTracestate([...short, 'more=1', `last=${'v'.repeat(30)}`].join(',')),
      [...short, 'more=1'].join(','),
    );
    assert.equal(keptTracestate([short[0], long, short[1]].join(',')), [short[0], long, short[1]].join(','));
  });
});
