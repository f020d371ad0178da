import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { copiedText, previewText } from '../../../../cmd/heimdall/registry/copy-text.ts';
import type { CopyPreview } from '../../../../internal/registry/copy.ts';

const WAYS = { from: 'data/registry.db', to: 'etcd http://10.0.0.5:2379 (prefix /heimdall)', node: 'a' };
const COUNTS: CopyPreview['counts'] = {
  services: 1,
  instances: 2,
  deployments: 0,
  steps: 0,
  events: 41,
  outages: 1,
  deliveries: 0,
  silences: 0,
  channels: 0,
  requests: 0,
  health: 1,
  latencies: 0,
  ejections: 0,
  samples: 2,
};
const PREVIEW: CopyPreview = {
  counts: COUNTS,
  loopback: [],
  underWay: null,
  content: null,
  users: { manager: null, proxies: [] },
};

describe('what heimdall registry copy says', () => {
  it('is what there is of each, from where to where, and what comes next', () => {
    const text = previewText(WAYS, PREVIEW);
    assert.match(text, /^from {6}data\/registry\.db\nto {8}etcd http:\S+ \(prefix \/heimdall\), as node a\n/);
    const copied = '1 service, 2 instances, 41 events, 1 alert, 1 health record, 2 samples of traffic';
    assert.ok(text.includes(`copied    ${copied}\n`), text);
    assert.match(text, /\nNothing was changed\. heimdall registry copy, without --dry-run, copies it\.\n$/);
    assert.match(
      copiedText(WAYS, COUNTS, PREVIEW),
      /\nCopied\. Start heimdall with this configuration: .* adopted\.\n$/,
    );
  });

  it('is how the processes that run come along', () => {
    const users = { manager: 7, proxies: [8] };
    assert.match(previewText(WAYS, { ...PREVIEW, users }), /A manager \(pid 7\) uses it\. .*heimdall reload copies/);
    assert.match(copiedText(WAYS, COUNTS, { ...PREVIEW, users }), /then at once: heimdall reload --only proxy\n/);
  });

  it('warns of instances that other machines cannot reach, and of what is in etcd', () => {
    const text = previewText(WAYS, { ...PREVIEW, loopback: ['web-1'], content: '1 service' });
    assert.match(text, /\n1 instance listens on this machine alone\. .*node\.address/);
    assert.match(text, /\nIn etcd there is something already: 1 service\.\n/);
  });

  it('says so when there is nothing', () => {
    const nothing = { ...COUNTS, services: 0, instances: 0, events: 0, outages: 0, health: 0, samples: 0 };
    assert.match(previewText(WAYS, { ...PREVIEW, counts: nothing }), /\ncopied {4}nothing: it is empty\n/);
  });
});
