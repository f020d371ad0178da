import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { inCommandWords } from '../../../cmd/heimdall/command-words.ts';

const ROOT = new URL('../../../', import.meta.url);
/** Where refusals of the manager are worded. */
const FOLDERS = ['internal/server', 'internal/registry', 'internal/api'];
/** Advice as it stands in a refusal, up to the end of its clause. */
const ADVICE = /[^'`]*(?:GET \/[^'`$]* (?:shows?|see)\b|\((?:GET|POST|DELETE) \/|\?[a-z]+=true|ask for GET \/)[^'`]*/;
/** What no command of ours can bring about, or is told to those who have called a path. */
const NOT_FOR_COMMANDS = /GET \/ shows how to call/;

function adviceIn(folder: string): readonly string[] {
  const names = readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts') && !name.startsWith('docs'))
    .flatMap((name) => readFileSync(new URL(`${folder}/${name}`, ROOT), 'utf8').split('\n'))
    .filter((line) => !/^\s*(?:\/?\*|\/\/)/.test(line))
    .flatMap((line) => ADVICE.exec(line)?.[0] ?? [])
    .filter((advice) => !NOT_FOR_COMMANDS.test(advice));
}

describe('what the manager refuses, at the command line', () => {
  it('is told in words of the command line', () => {
    assert.equal(
      inCommandWords('there is no deployment 9; GET /deployments shows them'),
      'there is no deployment 9; heimdall deployments list shows them',
    );
    assert.equal(
      inCommandWords('let this one wait for its turn with ?queue=true'),
      'let this one wait for its turn with --queue',
    );
    assert.equal(inCommandWords('body.weight: too big; query.port: no port.'), 'weight: too big; port: no port.');
    assert.equal(inCommandWords('the body.weight of it'), 'the body.weight of it');
  });

  it('names no call of the API', () => {
    const advice = FOLDERS.flatMap(adviceIn);
    assert.ok(advice.length >= 6, advice.join('\n'));
    for (const line of advice) assert.doesNotMatch(inCommandWords(line), /(?:GET|POST|DELETE) \/|\?[a-z]+=/);
  });
});
