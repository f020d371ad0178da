import type { AppFolder } from './app-folder.ts';
import type { CommandGuess } from './guess.ts';

const REQUIREMENTS = ['requirements.txt', 'pyproject.toml', 'Pipfile'];
const VIRTUAL = ['.venv/bin/', 'venv/bin/', 'env/bin/'];
/** Where apps usually stand, the likeliest first. */
const MODULES = ['main', 'app', 'asgi', 'wsgi', 'server', 'src/main', 'src/app', 'app/main'];
const ASGI = /^(\w+)\s*(?::[^=\n]+)?=\s*(?:\w+\.)?(?:FastAPI|Starlette|Quart|Litestar)\(/m;
const WSGI = /^(\w+)\s*(?::[^=\n]+)?=\s*(?:\w+\.)?(?:Flask|Bottle|Falcon)\(/m;
const HOST = '127.0.0.1';

/** The server that its requirements name, or the one that the framework brings along. */
export function guessPython(folder: AppFolder): CommandGuess | null {
  const { files, texts } = folder;
  const required = REQUIREMENTS.map((name) => texts.get(name) ?? '')
    .join('\n')
    .toLowerCase();
  const tool = (name: string) => VIRTUAL.map((bin) => bin + name).find((path) => files.has(path)) ?? name;
  const has = (name: string) => required.includes(name) || tool(name) !== name;
  const guess = (from: string, command: readonly string[]): CommandGuess => ({ env: {}, command, from });

  const asgi = appIn(texts, ASGI);
  if (asgi) return guess(asgi.file, [tool('uvicorn'), asgi.app, '--host', HOST, '--port', '{port}']);
  if (files.has('manage.py')) {
    const project = [...files].find((file) => /^[^/]+\/wsgi\.py$/.test(file))?.replace('/wsgi.py', '');
    if (project !== undefined && has('gunicorn'))
      return guess('manage.py', [tool('gunicorn'), `${project}.wsgi`, '--bind', `${HOST}:{port}`]);
    return guess('manage.py', [tool('python3'), 'manage.py', 'runserver', '--noreload', `${HOST}:{port}`]);
  }
  const wsgi = appIn(texts, WSGI);
  if (!wsgi) return null;
  if (has('gunicorn')) return guess(wsgi.file, [tool('gunicorn'), wsgi.app, '--bind', `${HOST}:{port}`]);
  return guess(wsgi.file, [tool('flask'), '--app', wsgi.app, 'run', '--host', HOST, '--port', '{port}']);
}

/** As `module:name`. */
function appIn(texts: AppFolder['texts'], made: RegExp): { readonly file: string; readonly app: string } | null {
  for (const module of MODULES) {
    const file = `${module}.py`;
    const name = made.exec(texts.get(file) ?? '')?.[1];
    if (name !== undefined) return { file, app: `${module.replaceAll('/', '.')}:${name}` };
  }
  return null;
}
