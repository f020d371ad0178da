import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { api, FakeManager } from './fake-manager.ts';

describe('whoever changes something', () => {
  it('is called as he calls himself, however the name is encoded, or as the body says', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    const deploy = (body: object) => request(app).post('/services/web/deploy').send(body);
    for (const name of ['J%C3%BCrgen', 'Jürgen', '100%']) await deploy({}).set('Heimdall-Actor', name).expect(202);
    await deploy({ by: 'bob' }).expect(202);
    await deploy({ by: 'bob' }).set('Heimdall-Actor', 'ann').expect(202);
    await deploy({}).expect(202);
    assert.deepEqual(
      manager.audits.map(({ data }) => data['actor']),
      ['Jürgen', 'Jürgen', '100%', 'bob', 'ann', 'anonymous'],
    );
    const asked = manager.calls.map(([, , , options]) => (options as { readonly by: string }).by);
    assert.deepEqual(asked, ['Jürgen', 'Jürgen', '100%', 'bob', 'bob', 'api']); // what the body says stays
  });

  it('cannot have a name that does something to whoever reads it', async () => {
    const manager = new FakeManager();
    const app = api({ manager });
    for (const name of ['a%0Ab', '%1B[2J', 'x'.repeat(65), 'a%E2%80%AEb']) {
      const { body } = await request(app).post('/services/web/pause').set('Heimdall-Actor', name).expect(400);
      assert.equal(body.errors[0].path, 'header.Heimdall-Actor');
    }
    assert.deepEqual([manager.calls, manager.audits], [[], []]);
    await request(app)
      .post('/services/web/pause')
      .set('User-Agent', `x\x9b${'y'.repeat(200)}`)
      .expect(200);
    assert.equal(manager.audits[0]?.data['userAgent'], `x${'y'.repeat(99)}`);
  });
});
