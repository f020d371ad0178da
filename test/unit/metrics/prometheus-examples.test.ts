import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { aloneFamilies, managerFamilies } from '../../../internal/api/manager-families.ts';
import { proxyFamilies } from '../../../internal/proxy/metrics/proxy-families.ts';
import { RateLimits } from '../../../internal/proxy/rate-limit/rate-limits.ts';
import { EventCounts } from '../../../internal/server/event-counts.ts';
import type { Family } from '../../../pkg/metrics/family.ts';
import { STATUS } from '../api/fake-manager.ts';

const ROOT = join(import.meta.dirname, '../../..');
const EXAMPLES = join(ROOT, 'docs/examples/prometheus');

function familiesOfBoth(): readonly Family[] {
  const registry = { available: true, appliedRevision: 1 };
  const spans = { exported: 0, failed: 0, dropped: 0 };
  const limits = RateLimits.create(0, () => 0);
  const loop = { delayMs: 0, busyMs: 0 };
  const accessLog = { lines: 0, dropped: 0 };
  const facts = { status: STATUS, services: [], instances: [], alerts: [], silences: [], now: 0 };
  return [
    ...proxyFamilies({
      version: '1',
      engine: 'wire',
      threads: [],
      loop,
      registry,
      pools: [],
      limits,
      spans,
      accessLog,
    }),
    ...aloneFamilies('1', true, loop),
    ...managerFamilies(facts, new EventCounts()),
  ];
}

function promtool(...args: string[]): {
  readonly isThere: boolean;
  readonly status: number | null;
  readonly told: string;
} {
  const { error, status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return { isThere: error === undefined, status, told: `${stdout}${stderr}` };
}

/** Names as they stand in queries. */
function seriesOf({ kind, name }: Family): string[] {
  return kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name];
}

describe('the examples for Prometheus', () => {
  const known = new Set(familiesOfBoth().flatMap(seriesOf));
  for (const file of globSync('*.{yml,json}', { cwd: EXAMPLES })) {
    it(`ask only for what there is: ${file}`, () => {
      const asked =
        readFileSync(join(EXAMPLES, file), 'utf8').match(/\b(?:heimdall|process|nodejs)_[a-z_]+[a-z]\b/g) ?? [];
      const unknown = asked.filter((name) => !known.has(name));
      assert.deepEqual(unknown, []);
      if (file !== 'prometheus.yml') assert.ok(asked.length > 10);
    });
  }

  it('do what they say, by promtool', (context) => {
    const { isThere } = promtool('--version');
    if (!isThere) return context.skip('promtool is not installed');
    const config = promtool('check', 'config', join(EXAMPLES, 'prometheus.yml'));
    assert.equal(config.status, 0, config.told);
    const rules = promtool('test', 'rules', join(ROOT, 'test/support/alert-rules.test.yml'));
    assert.equal(rules.status, 0, rules.told);
  });
});

it('the README has a row for every metric', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const written = new Set<string>();
  for (const row of readme.match(/^\| `heimdall_.*$/gm) ?? []) {
    const [first = '', ...others] = Array.from(
      row.split('|')[1]?.matchAll(/`([a-z_]+)`/g) ?? [],
      ([, name = '']) => name,
    );
    const [prefix] = /^heimdall_(?:service|instance|thread)/.exec(first) ?? [''];
    for (const name of [first, ...others.map((other) => (other.startsWith('_') ? prefix + other : other))])
      written.add(name);
  }
  const names = familiesOfBoth().map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => name.startsWith('heimdall_') && !written.has(name)),
    [],
  );
  assert.deepEqual(
    [...written].filter((name) => !names.includes(name)),
    [],
  );
});
