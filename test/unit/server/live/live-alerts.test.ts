import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LiveAlerts } from '../../../../internal/server/live/live-alerts.ts';
import type { AlertBook, AlertRecord } from '../../../../pkg/alerts/book.ts';
import { FakeAlertBook } from '../../api/fake-alert-book.ts';

const HOUR_MS = 3_600_000;
const NOW = 10 * HOUR_MS;

function record(id: string, at: number, resolvedAt: number | null): AlertRecord {
  const alert = { key: id, severity: 'warning', title: id, at } as const;
  return { id, alert, resolvedAt, announced: false, acknowledgement: null };
}

class Book extends FakeAlertBook {
  active = [record('a', NOW - 5_000, null)];
  resolved = [record('b', NOW - 2_000, NOW - 1_000), record('old', 0, NOW - HOUR_MS)];
  looks = 0;

  override async alerts({ state }: Parameters<AlertBook['alerts']>[0]): Promise<AlertRecord[]> {
    if (state === 'resolved') this.looks += 1;
    return state === 'active' ? this.active : this.resolved;
  }
}

describe('the alerts that are shown live', () => {
  it('are those that are active and those resolved within the hour, which are not read every time', async () => {
    const alertBook = new Book();
    let now = NOW;
    const alerts = new LiveAlerts({ alertBook }, () => now);
    const ids = async () => (await alerts.read()).map(({ id }) => id);
    assert.deepEqual(await ids(), ['b', 'a']);
    assert.deepEqual(await ids(), ['b', 'a']);
    assert.equal(alertBook.looks, 1);
    alertBook.resolved.push(record('a', NOW - 5_000, now));
    alertBook.active = [];
    assert.deepEqual(await ids(), ['b', 'a']);
    assert.equal(alertBook.looks, 2, 'one has ended');
    alertBook.resolved.push(record('brief', now, now));
    now += 30_000;
    assert.deepEqual(await ids(), ['brief', 'b', 'a'], 'one that came and went between two looks');
  });
});
