import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import request from 'supertest';
import { api } from './fake-manager.ts';

describe('GET /', () => {
  it('shows the commands with the address that was called', async () => {
    const response = await request(api()).get('/').set('Host', 'localhost:7123').expect(200);
    assert.equal(response.type, 'text/plain');
    assert.match(response.text, /^heimdall 1\.2\.3/);
    assert.match(response.text, /curl -X POST http:\/\/localhost:7123\/servers\/add\n/);
    assert.doesNotMatch(response.text, /Authorization/);
  });

  it('shows every route there is', async () => {
    const app = api();
    const { body } = await request(app).get('/nowhere').expect(404);
    const { text } = await request(app).get('/').expect(200);
    for (const route of body.routes) {
      const [, path] = route.split(' ');
      const examples = ['9001', 'web', '1', 'chat'].map((id) => path.replace(':id', id));
      assert.ok(
        examples.some((example) => text.includes(example)),
        `${path} is missing`,
      );
    }
  });

  it('shows how to send the token when one is needed', async () => {
    const response = await request(api({ token: () => 'sesame' }))
      .get('/')
      .set('Authorization', 'Bearer sesame')
      .expect(200);
    assert.match(response.text, /Authorization: Bearer \$HEIMDALL_TOKEN/);
    assert.doesNotMatch(response.text, /sesame/);
  });
});
