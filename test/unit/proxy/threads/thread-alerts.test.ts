import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ThreadAlerts } from '../../../../internal/proxy/threads/thread-alerts.ts';
import type { Alert } from '../../../../pkg/alerts/alert.ts';
import { createLogger } from '../../../../pkg/logger/logger.ts';

describe('alerts about threads', () => {
  it('begin with a crash, say that its place cannot be taken, and end when it is', () => {
    const active = new Map<string, Alert>();
    const sink = {
      raise: (alert: Alert) => void active.set(alert.key, alert),
      resolve: (key: string) => void active.delete(key),
    };
    const alerts = new ThreadAlerts(sink, createLogger({ name: 'test', level: 'silent' }), () => 7);
    alerts.crashed(2, new Error('a defect'));
    alerts.crashed(3, new Error('another'));
    assert.deepEqual([...active.keys()], ['thread-crashed:2', 'thread-crashed:3']);
    const { severity, title, cause = '', at } = active.get('thread-crashed:2') ?? assert.fail();
    assert.deepEqual([severity, title, at], ['critical', 'A thread of the load balancer crashed', 7]);
    assert.match(cause, /^a defect\. Its connections are lost/);
    alerts.notListening(2, new Error('the port is taken'));
    assert.match(active.get('thread-crashed:2')?.cause ?? '', /cannot listen: the port is taken/);
    alerts.replaced(2);
    assert.deepEqual([...active.keys()], ['thread-crashed:3']);
  });
});
