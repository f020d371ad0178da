import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { HeimdallError } from '../../../../internal/model/errors.ts';
import { Commits, type Plan } from '../../../../internal/registry/etcd/commits.ts';
import { NAMES } from '../../../../internal/registry/etcd/names.ts';
import { FakeEtcd } from '../../../support/fake-etcd.ts';

describe('the commits of a manager', () => {
  let etcd: FakeEtcd;
  let commits: Commits;

  beforeEach(() => {
    etcd = new FakeEtcd();
    commits = new Commits({ store: etcd, mirror: etcd.mirror, tenure: null, node: 'a' });
  });

  const countOf = (name: string) => Number(etcd.entries.get(name)?.value ?? 0);
  /** One more than what is there. */
  function more(name: string): Plan<{ count: number; revision: number }> {
    const count = countOf(name) + 1;
    return {
      guards: [{ name, modified: etcd.entries.get(name)?.modified ?? 0 }],
      writes: [{ put: name, value: count }],
      isDesired: true,
      result: (revision) => ({ count, revision }),
    };
  }
  const run = (name: string) => commits.run(() => more(name));
  const written = () =>
    etcd.commits.map((names) => names.filter((name) => name !== NAMES.revision && name !== NAMES.commit('a')));

  it('carry out together what concerns different keys', async () => {
    const done = await Promise.all(['x', 'y', 'z'].map(run));
    assert.deepEqual(written(), [['x', 'y', 'z']]);
    assert.equal(new Set(done.map(({ revision }) => revision)).size, 1);
  });

  it('carry out one after the other what concerns the same key, and let nothing overtake it there', async () => {
    const both = commits.run(() => {
      const [x, y] = [more('x'), more('y')];
      return { ...x, guards: [...x.guards, ...y.guards], writes: [...x.writes, ...y.writes] };
    });
    await Promise.all([both, ...['x', 'x', 'y', 'z'].map(run)]);
    assert.deepEqual(written(), [['x', 'y', 'z'], ['x', 'y'], ['x']]);
    assert.deepEqual([countOf('x'), countOf('y')], [3, 2]);
  });

  it('hold no more than fits into one', async () => {
    await Promise.all(Array.from({ length: 300 }, (_, at) => run(`key-${at}`)));
    assert.deepEqual(
      written().map(({ length }) => length),
      [118, 118, 64],
    );
  });

  it('refuse, or leave out, only what nothing in front of it might change', async () => {
    const ifThere = (name: string): Plan<string> => {
      if (!etcd.entries.has(name)) throw new HeimdallError('INSTANCE_NOT_FOUND', `there is no ${name}`);
      return { guards: [], writes: [], isDesired: true, result: () => 'there' };
    };
    const [, found] = await Promise.all([run('x'), commits.run(() => ifThere('x'))]);
    assert.equal(found, 'there');
    await assert.rejects(
      commits.run(() => ifThere('y')),
      /there is no y/,
    );
    await run('z');
    assert.equal(written().length, 2);
  });

  it('are planned anew when something has changed meanwhile', async () => {
    let isOvertaken = false;
    const first = commits.run(() => {
      const plan = more('x');
      if (!isOvertaken) void etcd.commit([], [{ put: 'x', value: 10 }]);
      isOvertaken = true;
      return plan;
    });
    assert.equal((await first).count, 11);
  });

  it('are not carried out twice when the answer is lost', async () => {
    await run('x');
    etcd.fail('lose the answer');
    const [x, y] = await Promise.all([run('x'), run('y')]);
    assert.deepEqual([x.count, y.count, x.revision], [2, 1, 2]);
    assert.deepEqual([countOf('x'), countOf('y'), etcd.commits.length], [2, 1, 2]);
  });

  it('are not carried out twice when they arrive late, after it was asked what came of them', async () => {
    await run('x');
    etcd.fail('deliver late');
    assert.equal((await run('x')).count, 2);
    assert.equal(countOf('x'), 2);
    assert.equal((await run('x')).count, 3);
  });

  it('are never carried out once others have taken their place', async () => {
    etcd.fail('hold back');
    await Promise.all([run('x'), run('y')]);
    etcd.deliver();
    await run('x');
    assert.deepEqual([countOf('x'), countOf('y')], [2, 1]);
  });

  it('take nothing else with them when one is refused', async () => {
    const refused = (): Plan<void> => ({ ...more('bad'), result: () => {} });
    const { commit } = etcd;
    etcd.commit = (guards, writes) => {
      if (writes.some((write) => 'put' in write && write.put === 'bad')) etcd.fail('refuse');
      return commit.call(etcd, guards, writes);
    };
    const outcomes = await Promise.allSettled([run('x'), commits.run(refused), run('y'), run('x')]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    );
    assert.deepEqual([countOf('x'), countOf('y')], [2, 1]);
  });
});
