import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { FILES_WANTED, SCRIPTS } from '../../../../cmd/heimdall/completion/scripts.ts';

/** What bash would show. @param answer - of `heimdall complete`, which gets the words that it was called with as the last line. */
function completed(line: string, answer: string): string[] {
  const program = `
${SCRIPTS.bash}
heimdall() { printf '%b' "$ANSWER"; printf '<%s>' "$@" | tr -d '\\n'; printf '\\tx\\n'; }
compopt() { :; }
COMP_LINE=$LINE; COMP_POINT=\${#LINE}
_heimdall
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { PATH: process.env['PATH'], LINE: line, ANSWER: answer };
  return execFileSync('bash', ['--norc', '-c', program], { cwd: import.meta.dirname, env, encoding: 'utf8' })
    .trimEnd()
    .split('\n');
}

describe('the completion of bash', () => {
  it('asks with the words up to the cursor, an empty one where the next begins', () => {
    assert.deepEqual(completed('heimdall servers li', 'list\\tall\\n'), ['list', '<complete><--><servers><li>']);
    assert.deepEqual(completed('heimdall deploy ', ''), ['<complete><--><deploy><>']);
  });

  it('leaves out what stands before a colon or an equals sign, which bash keeps by itself', () => {
    assert.deepEqual(completed('heimdall get web@10.0.0.7:8', 'web@10.0.0.7:80\\tx\\n')[0], '80');
    assert.deepEqual(completed('heimdall list --status=', '--status=running\\tx\\n')[0], 'running');
  });

  it('offers files where they are wanted', () => {
    assert.deepEqual(completed('heimdall restore scri', `${FILES_WANTED}\\n`), ['scripts.test.ts']);
    assert.deepEqual(completed('heimdall check --config=scri', `${FILES_WANTED}\\n`), ['scripts.test.ts']);
  });
});
