import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import request from 'supertest';
import { apiEndpoints } from '../../../internal/api/app.ts';
import { html, prose } from '../../../internal/api/docs/html.ts';
import { api, apiOptions } from './fake-manager.ts';

const ENDPOINTS = apiEndpoints(apiOptions());

describe('GET /', () => {
  it('shows a command for every endpoint, with the address that was called', async () => {
    const response = await request(api()).get('/').set('Host', 'localhost:7123').expect(200);
    assert.equal(response.type, 'text/plain');
    assert.match(response.text, /^heimdall 1\.2\.3/);
    assert.match(response.text, /http:\/\/localhost:7123\/docs\n/);
    assert.match(response.text, /curl -X POST http:\/\/localhost:7123\/servers\/add\n/);
    assert.match(
      response.text,
      /start instances; also: service, count, weight, port, version, env, \?wait=, \?node=\n/,
    );
    assert.match(response.text, /curl -N http:\/\/localhost:7123\/live\n/);
    assert.match(response.text, /add -H 'Content-Type: application\/json' -d '{"count":3}'\n/);
    assert.match(response.text, /curl -X DELETE 'http:\/\/localhost:7123\/servers\/remove\?port=9000'\n/);
    const commands = response.text.split('\n').filter((line) => line.startsWith('  curl '));
    assert.ok(commands.length >= ENDPOINTS.length);
    assert.doesNotMatch(response.text, /Authorization/);
  });

  it('shows how to send the token when one is needed', async () => {
    const { text } = await request(api({ token: () => 'sesame' }))
      .get('/')
      .set('Authorization', 'Bearer sesame');
    assert.match(text, /curl -X POST -H "Authorization: Bearer \$HEIMDALL_TOKEN" http/);
    assert.doesNotMatch(text, /sesame/);
  });
});

describe('GET /openapi.json', () => {
  it('is a valid OpenAPI 3.1 document', async () => {
    const { body } = await request(api()).get('/openapi.json').expect(200);
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(body));
    assert.ok(valid, JSON.stringify(errors, null, 2));
    assert.equal(validator.version, '3.1');
    assert.doesNotThrow(() => validator.resolveRefs()); // every reference leads somewhere
  });

  it('has every endpoint, with what it takes and answers', async () => {
    const { body } = await request(api()).get('/openapi.json').set('Host', 'localhost:7123');
    for (const { method, path, description } of ENDPOINTS) {
      const place = path.replace(':id', `{${description.id?.name}}`);
      assert.equal(body.paths[place][method.toLowerCase()].summary, description.summary);
    }
    const { post } = body.paths['/servers/add'];
    assert.equal(body.servers[0].url, 'http://localhost:7123');
    assert.deepEqual(Object.keys(post.responses), [
      '201',
      '202',
      '400',
      '403',
      '404',
      '409',
      '413',
      '415',
      '422',
      '500',
      '502',
      '503',
      '504',
      '508',
    ]);
    assert.deepEqual(post.parameters[0].schema, { type: 'boolean', default: true });
    assert.equal(post.requestBody.required, false);
    assert.deepEqual(post.requestBody.content['application/json'].schema.properties.count.maximum, 100);
    assert.match(post.responses['404'].description, /`SERVICE_NOT_FOUND`/);
    assert.deepEqual(post.responses['404'].content['application/problem+json'].schema, {
      $ref: '#/components/schemas/Problem',
    });
    const lines = body.paths['/servers/{instance}/logs'].get.parameters.find(
      ({ name }: { name: string }) => name === 'lines',
    );
    assert.deepEqual(lines.schema, { type: 'integer', minimum: 0, maximum: 10_000, default: 100 });
    const fieldsOf = ({ parameters }: { parameters: { name: string; in: string }[] }) =>
      parameters.flatMap((parameter) => (parameter.in === 'header' ? [parameter.name] : []));
    assert.deepEqual(fieldsOf(post), ['Idempotency-Key', 'Heimdall-Actor']);
    const service = body.paths['/services/{name}'];
    assert.deepEqual(fieldsOf(service.get), ['If-None-Match']);
    assert.deepEqual(fieldsOf(service.patch), ['If-Match', 'Heimdall-Actor']);
    assert.equal(service.get.responses['304'].content, undefined);
    assert.ok('ETag' in service.patch.responses['200'].headers);
    assert.match(service.patch.responses['412'].description, /PRECONDITION_FAILED/);
    const live = body.paths['/live'].get.responses['200'].content['text/event-stream']['x-events'];
    assert.deepEqual(live.tick.schema, { $ref: '#/components/schemas/LiveTick' });
    assert.equal(body.components.schemas.Instance.additionalProperties, undefined);
    assert.equal(body.components.schemas.Instance.properties.memory.description, 'Bytes; absent when it is not known.');
  });

  it('gives every operation a name of its own', async () => {
    const { body } = await request(api()).get('/openapi.json');
    const paths: Record<string, { operationId: string }>[] = Object.values(body.paths);
    const ids = paths.flatMap((operations) => Object.values(operations).map(({ operationId }) => operationId));
    assert.equal(new Set(ids).size, ENDPOINTS.length);
    assert.ok(ids.includes('postServicesNameDeploy'));
  });

  it('tells of the token when one is needed, and only then', async () => {
    const open = await request(api()).get('/openapi.json');
    assert.deepEqual([open.body.security, open.body.components.securitySchemes], [[], {}]);
    const app = api({ token: () => 'sesame' });
    const { body, text } = await request(app).get('/openapi.json').expect(200);
    assert.deepEqual(body.security, [{ token: [] }]);
    assert.deepEqual(body.components.securitySchemes, { token: { type: 'http', scheme: 'bearer' } });
    assert.match(body.paths['/status'].get.responses['401'].description, /UNAUTHORIZED/);
    assert.deepEqual(body.paths['/docs'].get.security, []); // a browser has no way to send one
    assert.equal(body.paths['/docs'].get.responses['401'], undefined);
    assert.doesNotMatch(text, /sesame/);
  });
});

describe('GET /docs', () => {
  it('is a page that runs and loads nothing', async () => {
    const { text, headers, type } = await request(api()).get('/docs').expect(200);
    assert.equal(type, 'text/html');
    const style = /<style>(.*?)<\/style>/s.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    assert.match(headers['content-security-policy'] ?? '', /^default-src 'none'; style-src 'sha256-[^ ]+'; /);
    assert.ok(headers['content-security-policy']?.includes(`'sha256-${hash}'`));
    assert.doesNotMatch(text, /<script|<link|<img|\sstyle=|\son\w+=|url\(|@import/i);
    assert.doesNotMatch(text, /undefined|\[object/);
    assert.match(text, /<code>revision<\/code><\/th><td>integer/); // within another object, and always there
  });

  it('shows every endpoint, and its links lead somewhere', async () => {
    const { text } = await request(api()).get('/docs');
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    const links = [...text.matchAll(/ href="#([^"]+)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(
      links.filter((link) => !ids.includes(link)),
      [],
    );
    assert.equal([...text.matchAll(/<article id="(?!schema-)/g)].length, ENDPOINTS.length);
    assert.match(text, /curl -X POST http:\/\/127\.0\.0\.1:\d+\/servers\/add/);
  });

  it('needs no token, but a name that is allowed', async () => {
    const app = api({ token: () => 'sesame' });
    for (const path of ['/docs', '/openapi.json']) {
      await request(app).get(path).set('Sec-Fetch-Site', 'cross-site').expect(200);
      await request(app).get(path).set('Host', 'rebound.example').expect(403);
      await request(app).post(path).expect(405);
    }
    await request(app).get('/').expect(401);
  });

  it('takes what it shows for text', () => {
    const page = html`<p title="${'a" b'}">${'<script>'} ${prose('of `<b>` & more')}</p>`;
    assert.equal(page.text, '<p title="a&quot; b">&lt;script&gt; of <code>&lt;b&gt;</code> &amp; more</p>');
  });

  it('tells where the commands take the token from when one is needed', async () => {
    const app = api({ token: () => 'sesame' });
    const { text } = await request(app).get('/docs').expect(200);
    assert.match(text, /export HEIMDALL_TOKEN=…/);
    assert.match(text, /Authorization: Bearer \$HEIMDALL_TOKEN&quot;/);
    assert.doesNotMatch(text, /sesame/);
  });
});
