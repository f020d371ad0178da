import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import request from 'supertest';
import { api } from './fake-manager.ts';

/** As browsers send it. */
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const PAGE = '<!doctype html><title>the page</title>';

describe('the dashboard at /', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heimdall-dashboard-'));
    await mkdir(join(folder, 'assets'));
    await writeFile(join(folder, 'index.html'), PAGE);
    await writeFile(join(folder, 'assets', 'index-abc.js'), 'export {};');
  });

  after(() => rm(folder, { recursive: true }));

  it('is for browsers; who does not ask for HTML gets the help', async () => {
    const app = api({ dashboardFolder: folder });
    const page = await request(app).get('/').set('Accept', BROWSER).expect(200);
    assert.equal(page.text, PAGE);
    for (const accept of ['*/*', 'text/plain', 'application/json, text/plain']) {
      const { type, headers } = await request(app).get('/').set('Accept', accept).expect(200);
      assert.deepEqual([type, headers['vary']], ['text/plain', 'Accept']);
    }
  });

  it('lets the page load nothing from elsewhere, and be framed by nobody', async () => {
    const { headers } = await request(api({ dashboardFolder: folder }))
      .get('/')
      .set('Accept', BROWSER);
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|http/);
  });

  it('has the page asked for anew, and the assets kept for good', async () => {
    const app = api({ dashboardFolder: folder });
    const page = await request(app).get('/').set('Accept', BROWSER);
    assert.equal(page.headers['cache-control'], 'no-cache');
    const etag = String(page.headers['etag']);
    await request(app).get('/').set({ Accept: BROWSER, 'If-None-Match': etag }).expect(304);
    const asset = await request(app).get('/assets/index-abc.js').expect(200);
    assert.match(String(asset.headers['content-type']), /^text\/javascript/);
    assert.equal(asset.headers['cache-control'], 'public, max-age=31536000, immutable');
    await request(app).get('/assets/gone.js').expect(404);
  });

  it('needs no token, unlike everything that it shows', async () => {
    const app = api({ dashboardFolder: folder, token: () => 'sesame' });
    await request(app).get('/').set('Accept', BROWSER).expect(200);
    await request(app).get('/assets/index-abc.js').expect(200);
    for (const path of ['/', '/live', '/servers/list', '/assets/gone.js']) await request(app).get(path).expect(401);
  });

  // A page on evil.example re-points its name to 127.0.0.1 and reads what it gets under its own origin.
  it('refuses re-pointed names, and lets links of other pages lead to it', async () => {
    const app = api({ dashboardFolder: folder });
    await request(app).get('/').set({ Accept: BROWSER, Host: 'evil.example' }).expect(403);
    await request(app).get('/').set({ Accept: BROWSER, 'Sec-Fetch-Site': 'cross-site' }).expect(200);
  });

  // Names of assets come from the network: none leads out of the folder.
  it('serves nothing but its own files', async () => {
    const app = api({ dashboardFolder: join(folder, 'assets') });
    for (const path of ['/assets/../index.html', '/assets/%2e%2e/index.html', '/assets/..%2findex.html']) {
      const { status, text } = await request(app).get(path);
      assert.ok(status >= 400 && !text.includes('the page'), `${path}: ${status}`);
    }
  });

  it('tells how to build it where it is not built', async () => {
    const { text, type } = await request(api({ dashboardFolder: join(folder, 'none') }))
      .get('/')
      .set('Accept', BROWSER)
      .expect(503);
    assert.equal(type, 'text/html');
    assert.match(text, /npm run build:dashboard/);
  });
});
