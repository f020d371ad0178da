import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { HeimdallError } from '../../../internal/model/errors.ts';
import { api, FakeManager, fakeNodes } from './fake-manager.ts';

describe('DELETE /nodes/{name}', () => {
  it('tells what was forgotten, and keeps who did it', async () => {
    const manager = new FakeManager();
    const { body } = await request(api({ manager })).delete('/nodes/b').set('Heimdall-Actor', 'ann').expect(200);
    assert.deepEqual(body, { name: 'b', instances: ['web-9000'] });
    assert.match(manager.audits[0]?.message ?? '', /^ann forgot node b \(from /);
  });

  it('is refused while the node is there', async () => {
    const forget = async () => Promise.reject(new HeimdallError('NODE_PRESENT', 'node b is there'));
    const manager = new FakeManager({ nodes: fakeNodes({ forget }) });
    const { body } = await request(api({ manager })).delete('/nodes/b').expect(409);
    assert.deepEqual([body.code, body.detail, manager.audits], ['NODE_PRESENT', 'node b is there', []]);
  });
});
