import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isRefusedByBrowsers } from '../../../internal/config/refused-ports.ts';

/** Whether the `fetch` of Node, which has the same list, does so much as try. */
async function isRefusedByFetch(port: number): Promise<boolean> {
  const ended = new AbortController();
  const answer = fetch(`http://127.0.0.1:${port}`, { method: 'HEAD', signal: ended.signal });
  setImmediate(() => ended.abort());
  return answer.then(
    () => false,
    (error: unknown) =>
      error instanceof TypeError && error.cause instanceof Error && error.cause.message === 'bad port',
  );
}

describe('the ports that browsers refuse', () => {
  it('are those of the Fetch standard', async () => {
    const known = [1, 22, 139, 2_049, 6_000, 6_668, 6_697, 10_080];
    for (const port of known) assert.ok(isRefusedByBrowsers(port) && (await isRefusedByFetch(port)), String(port));
    for (const port of [80, 443, 6_001, 6_670, 7_000, 8_080, 9_000])
      assert.ok(!isRefusedByBrowsers(port), String(port));
  });
});
