import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commandOf, lineOf, withPort } from '../../../../cmd/heimdall/init/command-line.ts';

describe('a command as it is typed', () => {
  it('is split into words and the variables before them, as a shell would do it', () => {
    const cases: readonly [string, readonly string[]][] = [
      ['node server.js', ['node', 'server.js']],
      ['  node   --title "my shop"  server.js ', ['node', '--title', 'my shop', 'server.js']],
      [`run 'a "b" $c' x"y z"w`, ['run', 'a "b" $c', 'xy zw']],
      ["run ''", ['run', '']],
    ];
    for (const [line, command] of cases) assert.deepEqual(commandOf(line), { env: {}, command }, line);
    assert.deepEqual(commandOf('NODE_ENV=production A="b c" node x.js'), {
      env: { NODE_ENV: 'production', A: 'b c' },
      command: ['node', 'x.js'],
    });
    assert.equal(commandOf('  '), null);
    assert.equal(commandOf('A=1'), null);
  });

  it('goes to a shell when only that understands it', () => {
    for (const line of [
      'npm run build && node x.js',
      'node $HOME/x.js',
      'a | b',
      'run "$X"',
      'ls *.js',
      "it's",
      'a > b',
    ]) {
      assert.deepEqual(commandOf(line), { env: {}, command: ['sh', '-c', line] });
    }
  });

  it('gets the port of the instance where it names the variable, or a port in figures', () => {
    const cases: readonly [string, string][] = [
      ['gunicorn app:app --bind 0.0.0.0:$PORT', 'gunicorn app:app --bind 0.0.0.0:{port}'],
      ['puma -p ${PORT:-3000}', 'puma -p {port}'],
      ['uvicorn main:app --port 8000 --workers 8000', 'uvicorn main:app --port {port} --workers 8000'],
      ['vite preview --port=4173', 'vite preview --port={port}'],
      ['next start -p 3000', 'next start -p {port}'],
      ['cp -p file', 'cp -p file'],
    ];
    for (const [line, expected] of cases) assert.equal(commandOf(line)?.command.join(' '), expected);
    assert.deepEqual(withPort(['x', '8000']), ['x', '8000']);
  });

  it('can be written down and read again', () => {
    for (const command of [
      ['node', 'a b.js', '{port}'],
      ['sh', '-c', `a && echo "it's" $x`],
      ['x', ''],
    ]) {
      assert.deepEqual(commandOf(lineOf(command))?.command, command);
    }
  });
});
