import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Reading } from '../../../../pkg/alerts/rules/reading.ts';
import { RuleWatch } from '../../../../pkg/alerts/rules/rule-watch.ts';
import { type AlertRule, AlertRuleSchema } from '../../../../pkg/alerts/rules/schema.ts';
import { RecordingSink } from '../../../support/alert-sink.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const ERRORS = { when: 'error-rate', above: '5%', for: '1m' };

function rule(value: object): AlertRule {
  return AlertRuleSchema.parse(value);
}

function reading(service: string, value: number | null): Reading {
  return {
    subject: service,
    service,
    value,
    words: `${value} of all`,
    advice: () => ['web-1: the worst', 'next: look'],
  };
}

function setUp() {
  const clock = new ManualClock();
  const sink = new RecordingSink(({ key, severity }) => `${key} (${severity})`);
  return { clock, sink, watch: new RuleWatch(sink, clock) };
}

describe('the watch over rules', () => {
  it('tells of what is broken for long enough: what, how much, since when, and what to do next', async () => {
    const { clock, sink, watch } = setUp();
    const rules = [rule({ ...ERRORS, severity: 'critical' })];
    const look = (value: number | null) => watch.look(rules, () => [reading('web', value)]);
    look(0.2);
    assert.equal(watch.views()[0]?.state, 'pending');
    await clock.advance(59_000);
    look(0.3);
    assert.deepEqual(sink.take(), []);
    await clock.advance(1_000);
    look(0.4);
    assert.deepEqual(sink.take(), ['! error-rate:web/critical/5% (critical)']);
    assert.deepEqual(sink.raised[0], {
      key: 'error-rate:web/critical/5%',
      severity: 'critical',
      title: 'web: error rate above 5%',
      cause: '0.4 of all\nweb-1: the worst\nnext: look',
      service: 'web',
      at: clock.now() - 60_000,
    });
    look(0.5);
    assert.deepEqual(sink.take(), [], 'it is told once');
    look(0.05);
    await clock.advance(60_000);
    look(0.05);
    assert.deepEqual(sink.take(), ['ok error-rate:web/critical/5%'], 'the limit itself is kept');
  });

  it('is over when the rule, or what it is about, is gone', () => {
    const { sink, watch } = setUp();
    const disk = rule({ when: 'disk', above: '90%' });
    const both = [rule({ when: 'restarts', above: 3 }), disk];
    watch.look(both, ({ when }) =>
      when === 'disk' ? [reading('/data', 0.95)] : [reading('web', 9), reading('api', 9)],
    );
    assert.equal(sink.take().length, 3);
    watch.look(both, ({ when }) => (when === 'disk' ? [reading('/data', 0.95)] : [reading('web', 9)]));
    assert.deepEqual(sink.take(), ['ok restarts:api/warning/3']);
    watch.look([disk], () => [reading('/data', 0.95)]);
    assert.deepEqual(sink.take(), ['ok restarts:web/warning/3']);
    watch.look([], () => []);
    assert.deepEqual(sink.take(), ['ok disk:/data/warning/90%']);
  });

  it('leaves everything as it is while there are no readings', () => {
    const { sink, watch } = setUp();
    const rules = [rule({ when: 'restarts', above: 3 }), rule({ when: 'restarts', above: 3, name: 'mine' })];
    watch.look(rules, () => [reading('web', 9)]);
    assert.equal(sink.take().length, 2);
    watch.look(rules, ({ name }) => (name === 'mine' ? [reading('web', 9)] : null));
    watch.look(rules, () => [reading('web', 9)]);
    assert.deepEqual(sink.take(), [], 'and nothing is told twice afterwards');
  });

  it('goes on with what another process has told of', async () => {
    const { clock, sink, watch } = setUp();
    const alert = { severity: 'warning', title: 'told', at: 1 } as const;
    watch.inherit([
      { ...alert, key: 'error-rate:web/warning/5%' },
      { ...alert, key: 'error-rate:api/warning/5%' },
      { ...alert, key: 'error-rate:gone/warning/5%' },
    ]);
    const look = (web: number | null) => watch.look([rule(ERRORS)], () => [reading('web', web), reading('api', 0)]);
    look(null);
    assert.deepEqual(sink.take(), ['ok error-rate:gone/warning/5%']);
    await clock.advance(60_000);
    look(0.3);
    assert.deepEqual(sink.take(), ['ok error-rate:api/warning/5%'], 'what goes on is not told again');
  });

  it('is the same alert under the same name, and another one of another severity', () => {
    const { sink, watch } = setUp();
    const look = (value: object) => watch.look([rule(value)], () => [reading('web', 9)]);
    look({ when: 'restarts', above: 3, name: 'crashes' });
    look({ when: 'restarts', above: 5, name: 'crashes' });
    assert.deepEqual(sink.take(), ['! restarts:web/warning/crashes (warning)']);
    look({ when: 'restarts', above: 5, name: 'crashes', severity: 'critical' });
    assert.deepEqual(sink.take(), ['! restarts:web/critical/crashes (critical)', 'ok restarts:web/warning/crashes']);
    assert.match(sink.raised[0]?.title ?? '', /^crashes \(web: more than 3 unexpected ends within 10 min\)$/);
  });

  it('knows that less is worse of a certificate', () => {
    const { sink, watch } = setUp();
    const rules = [rule({ when: 'certificate', of: 'example.com', below: '14d' })];
    const look = (days: number) => watch.look(rules, () => [{ ...reading('example.com:443', days * 86_400_000) }]);
    look(14);
    assert.deepEqual(sink.take(), []);
    look(13.9);
    assert.deepEqual(sink.take(), ['! certificate:example.com:443/warning/14 d (warning)']);
  });
});
