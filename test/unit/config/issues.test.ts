import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { type Fault, faultsOf } from '../../../internal/config/issues.ts';

const Schema = z.strictObject({
  port: z.int().min(1).default(80),
  name: z.string().optional(),
  inner: z.strictObject({ interval: z.string().default('1s') }).prefault({}),
  list: z.array(z.union([z.string(), z.strictObject({ address: z.string() })])).default([]),
  env: z.record(z.string().regex(/^[A-Z]+$/, 'not a variable name'), z.string()).default({}),
});

function faults(input: unknown): readonly Fault[] {
  const parsed = Schema.safeParse(input);
  assert.equal(parsed.success, false);
  return faultsOf(parsed.error.issues, Schema, input);
}

describe('faultsOf', () => {
  it('gives each unknown key its own path, without its value, and suggests the key that was meant', () => {
    assert.deepEqual(faults({ inner: { intervall: 1, zzz: 2 } }), [
      {
        path: ['inner', 'intervall'],
        message: 'unknown key "intervall"; did you mean "interval"?',
        hideValue: true,
      },
      { path: ['inner', 'zzz'], message: 'unknown key "zzz"', hideValue: true },
    ]);
  });

  it('suggests keys of the object at hand only', () => {
    assert.equal(faults({ interval: 1 })[0]?.message, 'unknown key "interval"');
    assert.match(faults({ lists: [] })[0]?.message ?? '', /did you mean "list"/);
  });

  it('names what took the place of a key of an earlier version', () => {
    const Renamed = z.strictObject({ accessLog: z.string().optional() });
    const { error } = Renamed.safeParse({ requestLog: true });
    const [fault] = faultsOf(error?.issues ?? [], Renamed, {});
    assert.equal(fault?.message, 'unknown key "requestLog"; "accessLog" has taken its place');
  });

  it('reports the form of a union that was meant', () => {
    assert.deepEqual(faults({ list: ['x', { adress: 'y' }] }), [
      { path: ['list', 1, 'address'], message: 'is required' },
      { path: ['list', 1, 'adress'], message: 'unknown key "adress"; did you mean "address"?', hideValue: true },
    ]);
    assert.deepEqual(faults({ list: [5] }), [
      { path: ['list', 0], message: 'expected string, received number, or expected object, received number' },
    ]);
  });

  it('names the key of a record that is not allowed', () => {
    assert.deepEqual(faults({ env: { 'a b': 'x' } }), [{ path: ['env', 'a b'], message: 'not a variable name' }]);
  });

  it('says in plain words what is wrong with a value', () => {
    assert.deepEqual(faults({ port: 0, name: 5 }), [
      { path: ['port'], message: 'expected number to be >=1' },
      { path: ['name'], message: 'expected string, received number' },
    ]);
    assert.deepEqual(faults([]), [{ path: [], message: 'expected object, received array' }]);
  });
});
