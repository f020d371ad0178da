import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AppFolder } from '../../../../cmd/heimdall/init/app-folder.ts';
import { guessOf, serviceName } from '../../../../cmd/heimdall/init/guess.ts';

const NODE = 26;

/** @param texts - those that are null have no text that matters. */
function folder(texts: Readonly<Record<string, string | object | null>>, programs: readonly string[] = []): AppFolder {
  const entries = Object.entries(texts).map(([name, text]) => {
    return [name, typeof text === 'string' ? text : text === null ? '' : JSON.stringify(text)] as const;
  });
  const files = new Set([...entries.map(([name]) => name), ...programs]);
  return { path: '/srv/My App', name: 'My App', files, texts: new Map(entries), programs };
}

function command(
  texts: Readonly<Record<string, string | object | null>>,
  programs: readonly string[] = [],
): string | null {
  return guessOf(folder(texts, programs), NODE).command?.command.join(' ') ?? null;
}

function scripts(
  given: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string | null>> = {},
): string | null {
  return command({ 'package.json': { scripts: given }, ...more });
}

describe('what the folder of an app tells', () => {
  it('takes the program of a start script rather than npm, where a shell is not needed', () => {
    assert.equal(scripts({ start: 'node server.js' }), 'node server.js');
    assert.equal(scripts({ start: 'next start' }, { 'node_modules/.bin/next': null }), 'node_modules/.bin/next start');
    assert.equal(scripts({ start: 'nest start', 'start:prod': 'node dist/main' }), 'node dist/main');
    assert.equal(scripts({ start: 'nodemon server.js' }), 'node server.js');
    assert.equal(scripts({ start: 'npm run build && node x.js' }), 'npm run --silent start');
    assert.equal(scripts({ prestart: 'tsc', start: 'node x.js' }), 'npm run --silent start');
    assert.equal(scripts({ preview: 'vite preview' }), 'vite preview --port {port}');
    assert.equal(scripts({ preview: 'vite preview --port 4000' }), 'vite preview --port {port}');
    const { command: guess } = guessOf(folder({ 'package.json': { scripts: { start: 'A=b node x.js' } } }), NODE);
    assert.deepEqual(guess, { env: { A: 'b' }, command: ['node', 'x.js'], from: 'scripts.start of package.json' });
  });

  it('takes the main file when there is no script', () => {
    assert.equal(command({ 'package.json': { main: './lib/web.js' }, 'lib/web.js': '' }), 'node lib/web.js');
    assert.equal(command({ 'package.json': { main: 'gone.js' }, 'app.js': '' }), 'node app.js');
    assert.equal(command({ 'package.json': 'no JSON', 'src/server.ts': '' }), 'node src/server.ts');
    assert.equal(command({ 'package.json': {}, 'readme.md': null }), null);
  });

  it('knows the servers of Python', () => {
    const fastapi = 'from fastapi import FastAPI\napi = FastAPI(title="x")\n';
    assert.equal(command({ 'main.py': fastapi }), 'uvicorn main:api --host 127.0.0.1 --port {port}');
    assert.equal(
      command({ 'main.py': fastapi, '.venv/bin/uvicorn': null }),
      '.venv/bin/uvicorn main:api --host 127.0.0.1 --port {port}',
    );
    const flask = 'import flask\napp: flask.Flask = flask.Flask(__name__)\n';
    assert.equal(command({ 'app.py': flask }), 'flask --app app:app run --host 127.0.0.1 --port {port}');
    assert.equal(
      command({ 'app.py': flask, 'requirements.txt': 'Flask\ngunicorn==23' }),
      'gunicorn app:app --bind 127.0.0.1:{port}',
    );
    const django = { 'manage.py': '', 'shop/wsgi.py': '' };
    assert.equal(command(django), 'python3 manage.py runserver --noreload 127.0.0.1:{port}');
    assert.equal(command({ ...django, 'pyproject.toml': '"gunicorn"' }), 'gunicorn shop.wsgi --bind 127.0.0.1:{port}');
  });

  it('reads a Procfile before all else, and a Dockerfile when nothing else tells', () => {
    const node = { 'package.json': { scripts: { start: 'node x.js' } } };
    assert.equal(command({ ...node, Procfile: 'worker: x\nweb: node web.js $PORT\n' }), 'node web.js {port}');
    const docker =
      'FROM a AS build\nCMD ["wrong"]\nFROM b\nEXPOSE 8000/tcp\nENTRYPOINT ["/app/run"]\nCMD ["--listen-on", "8000"]\n';
    assert.equal(command({ Dockerfile: docker }), '/app/run --listen-on {port}');
    assert.equal(command({ ...node, Dockerfile: docker }), 'node x.js');
    assert.equal(
      command({ Dockerfile: 'FROM b\nCMD uvicorn main:app \\\n  --port 80\n' }),
      'uvicorn main:app --port {port}',
    );
  });

  it('takes a compiled program when there is only one', () => {
    assert.equal(command({ 'go.mod': '' }, ['bin/shop']), './bin/shop');
    assert.equal(command({ 'go.mod': '' }, ['bin/shop', 'bin/tool']), null);
  });

  it('finds the path of the health check in the sources, the likeliest first', () => {
    const sources = { 'a.js': "app.get('/status', x)", 'b.js': 'router.get("/health", y)' };
    assert.deepEqual(guessOf(folder(sources), NODE).healthPaths, ['/health', '/status']);
    assert.deepEqual(guessOf(folder({ 'a.js': 'const healthy = 1' }), NODE).healthPaths, []);
  });

  it('says when the sources listen on a fixed port, or another Node is wanted', () => {
    const notes = (texts: Readonly<Record<string, string | object>>) => guessOf(folder(texts), NODE).notes;
    assert.match(
      notes({ 'server.js': 'app.listen(3000)' }).join(),
      /listen on port 3000 .*listen\(process\.env\.PORT \?\? 3000\)/,
    );
    assert.deepEqual(notes({ 'server.js': 'app.listen(3000)', 'env.js': 'process.env.PORT' }), []);
    assert.match(notes({ 'package.json': { engines: { node: '^20.1' } } }).join(), /asks for Node \^20\.1, .* \(26\)/);
    for (const node of ['>=18', '^20 || ^26', '26.x', '*'])
      assert.deepEqual(notes({ 'package.json': { engines: { node } } }), []);
  });

  it('names the service after the package, or the folder', () => {
    assert.equal(guessOf(folder({ 'package.json': { name: '@acme/web_shop' } }), NODE).name, 'web-shop');
    assert.equal(guessOf(folder({}), NODE).name, 'my-app');
    assert.equal(serviceName('---'), 'web');
    assert.equal(serviceName('a'.repeat(62) + '-b'), 'a'.repeat(62));
  });
});
