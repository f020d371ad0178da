import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { numberOrDefault, variables, wholeNumber } from '../../../../cmd/heimdall/operate/arguments.ts';
import { instanceNamed } from '../../../../cmd/heimdall/operate/instance-named.ts';
import { logChoice } from '../../../../cmd/heimdall/operate/log-choice.ts';
import { instanceView } from '../../../support/views.ts';

const [one, two] = [instanceView(9001), instanceView(9002, { service: 'shop', id: 'shop-9002-bbbbbb' })];
const INSTANCES = [one, two];

describe('an instance on the command line', () => {
  it('is known by its id and by its port', () => {
    assert.equal(instanceNamed(INSTANCES, 'web-9001-aaaaaa'), one);
    assert.equal(instanceNamed(INSTANCES, '9002'), two);
  });

  it('is guessed at when there is none of that name', () => {
    assert.throws(
      () => instanceNamed(INSTANCES, 'web-9001-aaaaab'),
      /"web-9001-aaaaab"; did you mean web-9001-aaaaaa\?/,
    );
    assert.throws(() => instanceNamed(INSTANCES, '9003'), {
      exitCode: 1,
      message: /"9003"; heimdall servers list shows those there are$/,
    });
  });

  it('has to be named by its id when others have that port on another host', () => {
    const other = instanceView(9001, { id: 'web@10.0.0.1:9001', host: '10.0.0.1' });
    assert.throws(() => instanceNamed([one, other], '9001'), /several .* \(web-9001-aaaaaa, web@10\.0\.0\.1:9001\)/);
  });
});

describe('whose logs are meant', () => {
  const SERVICES = ['web', 'shop', 'empty'];
  for (const [name, isOne, ids] of [
    [undefined, false, [one.id, two.id]],
    ['shop', false, [two.id]],
    ['empty', false, []],
    ['9001', true, [one.id]],
    ['web-9001-aaaaaa', true, [one.id]],
  ] as const) {
    it(`is ${ids.length} instances for ${name ?? 'no name'}`, () => {
      const choice = logChoice(name, SERVICES, INSTANCES);
      assert.deepEqual([choice.isOne, choice.of(INSTANCES).map(({ id }) => id)], [isOne, ids]);
    });
  }

  it('has to be something that there is', () => {
    assert.throws(() => logChoice('shp', SERVICES, INSTANCES), /"shp"; did you mean shop\?/);
  });
});

describe('values on the command line', () => {
  it('are whole numbers within bounds, or "default"', () => {
    assert.deepEqual([wholeNumber('N', '7', 1, 9), numberOrDefault('N', 'default', 1, 9)], [7, null]);
    for (const text of ['0', '10', '1e1', '-1', '', '1.5'])
      assert.throws(() => wholeNumber('--count', text, 1, 9), { exitCode: 2, message: /^--count: expected .* 1 to 9/ });
    assert.throws(() => numberOrDefault('--weight', 'none', 1, 9), /^UsageError|or "default", not "none"/);
  });

  it('are variables as NAME=value, where the value may hold "="', () => {
    assert.deepEqual(variables(['A=1', 'B=x=y', 'C=']), { A: '1', B: 'x=y', C: '' });
    assert.throws(() => variables(['A']), { exitCode: 2, message: '--env: expected NAME=value, not "A"' });
  });
});
