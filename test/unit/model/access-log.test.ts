import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AccessLogSchema } from '../../../internal/model/access-log.ts';
import { parseTemplate } from '../../../internal/model/access-log-template.ts';

describe('a template of the access log', () => {
  it('is text with fields in braces; other braces stay', () => {
    assert.deepEqual(parseTemplate('{"status":{status}} {request.header:User-Agent}'), [
      { kind: 'text', text: '{"status":' },
      { kind: 'field', name: 'status' },
      { kind: 'text', text: '} ' },
      { kind: 'header', name: 'user-agent' },
    ]);
  });
});

function faultOf(settings: object): string {
  const { error } = AccessLogSchema.safeParse(settings);
  const [issue] = error?.issues ?? [];
  return issue === undefined ? '' : `${issue.path.join('.')}: ${issue.message}`;
}

describe('the settings of the access log', () => {
  it('may be a format by name, or any template', () => {
    for (const format of ['auto', 'json', 'common', 'combined', '{time} {status} "{request}"']) {
      assert.equal(faultOf({ format }), '');
    }
  });

  const refused: readonly (readonly [object, RegExp])[] = [
    [{ format: 'jsn' }, /^format: expected "json", "common", "combined", "auto" or a template/],
    [{ format: '{statsu}' }, /^format: \{statsu\} is unknown; did you mean \{status\}\?/],
    [{ format: '{nonsense.of.mine}' }, /^format: .* is unknown; there are time, .* and request.header:NAME$/],
    [{ format: '{status}\n{id}' }, /^format: expected one line/],
    [{ format: '{request.header:Cookie}' }, /^format: Cookie carries secrets and is not logged/],
    [{ format: '{request.header:a b}' }, /^format: "a b" is no name of a header field/],
    [{ headers: ['Referer', 'authorization'] }, /^headers.1: authorization carries secrets/],
    [{ output: '' }, /^output: expected "stdout" or the path of a file/],
    [{ rotation: { maxSize: '1' } }, /^rotation.maxSize: expected a size/],
    [{ rotation: { keep: -1 } }, /^rotation.keep: /],
    [{ path: 'access.log' }, /Unrecognized key/],
  ];
  for (const [settings, fault] of refused) {
    it(`are refused with the place and the reason: ${JSON.stringify(settings)}`, () => {
      assert.match(faultOf(settings), fault);
    });
  }
});
