import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { type Applied, type Front, FrontError } from '../../../internal/sync/front.ts';
import type { Picture } from '../../../internal/sync/picture.ts';
import { Synchroniser } from '../../../internal/sync/synchroniser.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { server, service } from '../../support/synced.ts';

class FakeFront implements Front {
  readonly name = 'front';
  readonly paceMs = 1_000;
  readonly claims = [];
  warnings: readonly string[] = [];
  readonly applied: number[] = [];
  inFlightNow = 0;
  failure: Error | null = null;
  current = true;
  hold: Promise<void> = Promise.resolve();

  async apply(picture: Picture): Promise<Applied> {
    this.applied.push(picture.revision);
    await this.hold;
    if (this.failure !== null) throw this.failure;
    return { changed: true, warnings: this.warnings };
  }

  async draft() {
    return { changed: true, warnings: [], text: '' };
  }

  async inFlight(servers: readonly { readonly id: string }[]) {
    if (this.inFlightNow < 0) throw new Error('cannot look');
    return new Map(servers.map(({ id }) => [id, this.inFlightNow]));
  }

  async isCurrent() {
    return this.current;
  }
}

const picture = (revision: number, state: 'up' | 'draining' = 'up'): Picture => ({
  revision,
  services: [service([server(80, { state })])],
});

function setUp() {
  const [front, clock] = [new FakeFront(), new ManualClock()];
  const reports: (number | null)[] = [];
  const lines: string[] = [];
  const troubles: (string | null)[] = [];
  const warned: string[] = [];
  let wanted: Picture | null = null;
  const log = pino({ level: 'info' }, { write: (line) => lines.push(line) });
  const synchroniser: Synchroniser = new Synchroniser({
    front,
    picture: () => wanted,
    onReport: () => reports.push(synchroniser.report.appliedRevision),
    onBehind: (why) => troubles.push(why),
    onWarned: (warnings) => warned.push(warnings.join()),
    clock,
    log,
  });
  const want = async (next: Picture) => {
    wanted = next;
    synchroniser.changed();
    await settle();
  };
  return { front, clock, reports, lines, troubles, warned, synchroniser, want };
}

describe('a synchroniser', () => {
  it('brings a picture into force at once, and tells of it then', async () => {
    const { front, want, reports, synchroniser } = setUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    front.hold = promise;
    await want(picture(1));
    assert.deepEqual([front.applied, reports, synchroniser.report.appliedRevision], [[1], [], null]);
    resolve();
    await settle();
    assert.deepEqual(reports, [1]);
  });

  it('makes one change of a burst, the last one, at the pace of the front', async () => {
    const { front, want, clock } = setUp();
    await want(picture(1));
    for (let revision = 2; revision <= 50; revision += 1) await want(picture(revision));
    await clock.advance(999);
    assert.deepEqual(front.applied, [1]);
    await clock.advance(1);
    assert.deepEqual(front.applied, [1, 50]);
    await clock.advance(60_000);
    assert.deepEqual(front.applied, [1, 50]);
  });

  it('misses nothing of two changes at the same moment', async () => {
    const { front, want, clock, synchroniser } = setUp();
    await want(picture(1));
    synchroniser.changed(); // by a check
    await want(picture(2));
    await clock.advance(1_000);
    const both = want(picture(3));
    synchroniser.changed();
    await both;
    await clock.advance(1_000);
    assert.deepEqual(front.applied, [1, 2, 3]);
  });

  it('has the last picture in force that came while one was on its way', async () => {
    const { front, want, clock, reports } = setUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    front.hold = promise;
    await want(picture(1));
    await want(picture(2));
    await want(picture(3));
    resolve();
    await clock.advance(1_000);
    assert.deepEqual(
      [front.applied, reports],
      [
        [1, 3],
        [1, 3],
      ],
    );
  });

  it('tries again what was not taken, ever less often, and says so once', async () => {
    const { front, want, clock, reports, lines } = setUp();
    front.failure = new FrontError('no');
    await want(picture(1));
    await clock.advance(7_000); // after 1, 3 and 7 s
    assert.deepEqual([front.applied.length, reports], [4, []]);
    assert.equal(lines.filter((line) => line.includes('did not take revision 1, and goes on as before: no')).length, 1);
    front.failure = null;
    await clock.advance(8_000);
    assert.deepEqual(reports, [1]);
  });

  it('tells people of what is not taken for longer than a restart lasts, whatever is tried meanwhile', async () => {
    const { front, want, clock, troubles } = setUp();
    front.failure = new FrontError('no');
    await want(picture(1));
    for (let revision = 2; revision <= 5; revision += 1) {
      await clock.advance(1_000);
      await want(picture(revision));
    }
    assert.deepEqual(troubles, []);
    await clock.advance(20_000);
    assert.equal(troubles[0], 'no');
    front.failure = null;
    troubles.length = 0;
    await want(picture(6));
    await clock.advance(1_000);
    assert.deepEqual(troubles, [null]);
  });

  it('tells people once of what a front lacks, and when it lacks it no more', async () => {
    const { front, want, clock, warned } = setUp();
    front.warnings = ['no slot for a'];
    for (let revision = 1; revision <= 3; revision += 1) {
      await want(picture(revision));
      await clock.advance(1_000);
    }
    front.warnings = [];
    await want(picture(4));
    assert.deepEqual(warned, ['no slot for a', '']);
  });

  it('tries again at once when the picture changes', async () => {
    const { front, want, clock, reports } = setUp();
    front.failure = new FrontError('no');
    await want(picture(1));
    await clock.advance(7_100);
    front.failure = null;
    await want(picture(2));
    await clock.advance(900); // the pace still counts
    assert.deepEqual(reports, [2]);
  });

  it('does it once more when somebody has undone it', async () => {
    const { front, want, clock, synchroniser } = setUp();
    await want(picture(1));
    await clock.advance(5_000);
    await synchroniser.look();
    assert.deepEqual(front.applied, [1]);
    front.current = false;
    await synchroniser.look();
    await settle();
    assert.deepEqual(front.applied, [1, 1]);
  });

  it('tells what runs on draining servers together with the revision, and when that changes', async () => {
    const { front, want, reports, synchroniser } = setUp();
    front.inFlightNow = 2;
    await want(picture(1, 'draining'));
    assert.deepEqual([reports, [...synchroniser.report.inFlight]], [[1], [['web-80', 2]]]);
    front.inFlightNow = 0;
    while (reports.length < 2) await settle();
    assert.deepEqual([...synchroniser.report.inFlight], [['web-80', 0]]);
    await synchroniser.stop();
  });

  it('takes a server for busy when nobody can tell', async () => {
    const { front, want, synchroniser } = setUp();
    front.inFlightNow = -1;
    await want(picture(1, 'draining'));
    assert.deepEqual([...synchroniser.report.inFlight], [['web-80', 1]]);
    await synchroniser.stop();
  });

  it('changes nothing any more when it is stopped', async () => {
    const { front, want, clock, synchroniser } = setUp();
    await want(picture(1));
    await want(picture(2));
    await synchroniser.stop();
    await want(picture(3));
    await clock.advance(5_000);
    assert.deepEqual(front.applied, [1]);
  });
});
