import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AlertRuleSchema } from '../../../../pkg/alerts/rules/schema.ts';

function fault(rule: unknown): string {
  const { error } = AlertRuleSchema.safeParse(rule);
  return error === undefined ? '' : error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n');
}

describe('a rule for alerts', () => {
  it('reads as it is said', () => {
    const common = { severity: 'warning', services: [] };
    assert.deepEqual(AlertRuleSchema.parse({ when: 'error-rate', above: '5%' }), {
      when: 'error-rate',
      above: 0.05,
      over: 60_000,
      for: 60_000,
      ...common,
    });
    assert.deepEqual(AlertRuleSchema.parse({ when: 'p99', above: '800ms', for: '5m', services: ['web'] }), {
      when: 'p99',
      above: 800,
      over: 60_000,
      for: 300_000,
      ...common,
      services: ['web'],
    });
    assert.deepEqual(AlertRuleSchema.parse({ when: 'restarts', above: 3 }), {
      when: 'restarts',
      above: 3,
      over: 600_000,
      ...common,
    });
    const certificate = { when: 'certificate', of: '[::1]:8443', below: '14d', severity: 'critical', name: ' tls ' };
    assert.deepEqual(AlertRuleSchema.parse(certificate), {
      when: 'certificate',
      of: { host: '::1', port: 8_443 },
      below: 14 * 86_400_000,
      severity: 'critical',
      name: 'tls',
    });
    assert.deepEqual(AlertRuleSchema.parse({ ...certificate, of: 'example.com' }), {
      ...AlertRuleSchema.parse(certificate),
      of: { host: 'example.com', port: 443 },
    });
  });

  for (const [rule, expected] of [
    [{ when: 'latency', above: '1s' }, /^when: expected "error-rate", "p99"/],
    [{ above: '5%' }, /^when: expected "error-rate"/],
    [{ when: 'error-rate' }, /^above: /],
    [{ when: 'error-rate', above: 5 }, /^above: expected a share such as "5%"/],
    [{ when: 'error-rate', above: '100%' }, /^above: .*less than 100%/],
    [{ when: 'error-rate', above: '5%', over: '5s' }, /^over: expected a duration from "10s" to "10m"/],
    [{ when: 'error-rate', above: '5%', over: '11m' }, /^over: /],
    [{ when: 'error-rate', above: '5%', for: '2d' }, /^for: .*at most 24 hours/],
    [{ when: 'p99', above: '5%' }, /^above: expected a duration such as "800ms"/],
    [{ when: 'p99', above: '1m' }, /^above: .*below 1 minute/],
    [{ when: 'restarts', above: 1.5 }, /^above: expected a whole number/],
    [{ when: 'certificate', below: '2y' }, /^below: expected a duration such as "14d"/],
    [{ when: 'certificate', below: '14d', of: 'https://example.com' }, /^of: expected an address such as/],
    [{ when: 'certificate', below: '14d', of: 'example.com:70000' }, /^of: expected an address such as/],
    [{ when: 'disk', above: '90%', services: ['web'] }, /Unrecognized key: "services"/],
    [{ when: 'unhealthy', above: '50%', severity: 'bad' }, /^severity: expected "critical"/],
    [{ when: 'unhealthy', above: '50%', name: ' ' }, /^name: /],
  ] as const) {
    it(`refuses ${JSON.stringify(rule)}`, () => {
      assert.match(fault(rule), expected);
    });
  }
});
