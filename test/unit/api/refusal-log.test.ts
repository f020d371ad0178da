import assert from 'node:assert/strict';
import { it } from 'node:test';
import request from 'supertest';
import { RefusalLog } from '../../../internal/api/refusal-log.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { api } from './fake-manager.ts';

function recorder() {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  return { lines, log: createLogger({ name: 'test', level: 'warn', pretty: false, destination }) };
}

it('somebody without the token is logged with the address, and who goes on trying is only counted', async () => {
  const { lines, log } = recorder();
  const app = api({ log, token: () => 'the token' });
  for (const _ of [1, 2, 3]) await request(app).post('/servers/add').expect(401);
  assert.equal(lines.length, 1, lines.join(''));
  assert.match(lines[0] ?? '', /"address":"[^"]*127\.0\.0\.1".*"path":"\/servers\/add","reason":"token-missing"/);
});

it('the next line, seconds later, tells how many were refused meanwhile', () => {
  const { lines, log } = recorder();
  let now = 0;
  const refusals = new RefusalLog(log, () => now);
  const { socket } = { socket: { remoteAddress: '192.0.2.1' } } as Parameters<RefusalLog['tell']>[0];
  for (now of [0, 1, 9_999, 10_000, 10_001]) refusals.tell({ method: 'GET', path: '/', socket }, 'host');
  assert.deepEqual([lines.length, lines[1]?.includes('"alsoRefused":2')], [2, true]);
});
