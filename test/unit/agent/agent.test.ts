import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Agent } from '../../../internal/agent/agent.ts';
import { type Announced, type Announcer, AnnouncementRefused, type Reply } from '../../../internal/agent/announcer.ts';
import { type AgentSettings, AgentSettingsSchema } from '../../../internal/agent/settings.ts';
import type { SignOfLife } from '../../../internal/registry/signs-of-life.ts';
import { createLogger } from '../../../pkg/logger/logger.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const NOTHING: Reply = { unknown: [], removed: [] };

/** Writes down what it is told; tests say what it answers. */
class FakeAnnouncer implements Announcer {
  readonly intervalMs = 2_000;
  readonly place = 'http://manager';
  readonly told: string[] = [];
  reply: Reply = NOTHING;
  /** What calls fail with; null: they do not. */
  fault: Error | null = null;
  withdrawing: Promise<void> = Promise.resolve();
  #count = 0;

  async announce({ service, port }: AgentSettings['apps'][number]): Promise<Announced> {
    this.told.push(`announce ${service}:${port}`);
    if (this.fault) throw this.fault;
    this.#count += 1;
    return { id: `${service}-${this.#count}`, host: '10.0.0.7' };
  }

  async beat(signs: readonly SignOfLife[]): Promise<Reply> {
    this.told.push(`beat ${signs.map(({ id, isUp, cause }) => `${id} ${isUp ? 'up' : `down (${cause})`}`).join(', ')}`);
    if (this.fault) throw this.fault;
    const { reply } = this;
    this.reply = NOTHING;
    return reply;
  }

  async withdraw(ids: readonly string[]): Promise<void> {
    this.told.push(`withdraw ${ids.join(', ')}`);
    if (this.fault) throw this.fault;
    await this.withdrawing;
  }

  async close(): Promise<void> {
    this.told.push('close');
  }

  /** Since the last call. */
  news(): string[] {
    return this.told.splice(0);
  }
}

describe('an agent', () => {
  let clock: ManualClock;
  let announcer: FakeAnnouncer;
  /** By port: why its probes fail. */
  let broken: Map<number, string>;
  let agent: Agent;
  /** Warnings. */
  let lines: string[];

  function agentOf(...apps: object[]): Agent {
    const settings = AgentSettingsSchema.parse({ node: 'host-b', managers: ['manager'], apps });
    return new Agent({
      apps: settings.apps,
      announcer,
      clock,
      random: () => 0.5,
      log: createLogger({
        name: 'test',
        level: 'warn',
        pretty: false,
        destination: { write: (line) => lines.push(line) },
      }),
      startProbe({ port }, _check, done) {
        const cause = broken.get(port);
        done({ passed: cause === undefined, cause: cause ?? 'passed', elapsedMs: 1 });
        return { abort() {} };
      },
    });
  }

  beforeEach(() => {
    clock = new ManualClock();
    announcer = new FakeAnnouncer();
    broken = new Map();
    lines = [];
    agent = agentOf({ service: 'web', port: 8_080 });
  });
  afterEach(async () => {
    announcer.fault = null;
    const stopped = agent.stop();
    await clock.advance(20_000);
    await stopped;
  });

  it('announces an app at its first pass, and not before', async () => {
    broken.set(8_080, 'connect ECONNREFUSED');
    agent.start();
    await clock.advance(5_000);
    assert.deepEqual(announcer.news(), []);
    broken.clear();
    await clock.advance(300);
    assert.deepEqual(announcer.news(), ['announce web:8080']);
  });

  it('gives a sign of life every two seconds', async () => {
    agent.start();
    await clock.advance(6_100);
    const beat = 'beat web-1 up';
    assert.deepEqual(announcer.news(), ['announce web:8080', beat, beat, beat]);
  });

  it('tells at once that an app is down, within a second, and that it is up again', async () => {
    agent.start();
    await clock.advance(1_000);
    announcer.news();
    broken.set(8_080, 'status 503');
    await clock.advance(800);
    assert.deepEqual(announcer.news(), ['beat web-1 down (status 503)']);
    broken.clear();
    await clock.advance(300);
    assert.deepEqual(announcer.news(), ['beat web-1 up']);
  });

  it('tells of one app as soon as it is down, whatever the others do', async () => {
    await agent.stop();
    agent = agentOf({ service: 'web', port: 8_080 }, { service: 'api', port: 8_081 });
    agent.start();
    await clock.advance(100);
    announcer.news();
    broken.set(8_081, 'timeout after 500 ms');
    await clock.advance(800);
    assert.deepEqual(announcer.news(), ['beat web-1 up, api-2 down (timeout after 500 ms)']);
  });

  it('announces again what is not known any more, and keeps out what was removed', async () => {
    agent.start();
    await clock.advance(100);
    announcer.news();
    announcer.reply = { unknown: ['web-1'], removed: [] };
    await clock.advance(2_000);
    assert.deepEqual(announcer.news(), ['beat web-1 up', 'announce web:8080']);
    announcer.reply = { unknown: [], removed: ['web-2'] };
    await clock.advance(30_000);
    assert.deepEqual(announcer.news(), ['beat web-2 up']);
    agent.readmit();
    await clock.advance(100);
    assert.deepEqual(announcer.news(), ['announce web:8080']);
  });

  it('tries again, less and less often, while nobody takes its calls, and then goes on', async () => {
    announcer.fault = new Error('nobody answers');
    agent.start();
    await clock.advance(60_000);
    const tries = announcer.news();
    assert.ok(tries.length > 12 && tries.length < 25, `${tries.length} tries in a minute`);
    announcer.fault = null;
    await clock.advance(6_500);
    assert.deepEqual(announcer.news().slice(0, 2), ['announce web:8080', 'beat web-1 up']);
  });

  it('tells once why nobody takes its calls, then every minute, and when the reason is another one', async () => {
    announcer.fault = new Error('connect ECONNREFUSED');
    agent.start();
    await clock.advance(50_000);
    assert.equal(lines.length, 1);
    await clock.advance(20_000);
    assert.equal(lines.length, 2);
    announcer.fault = new Error('the token is another one');
    await clock.advance(20_000);
    assert.equal(lines.length, 3);
    assert.match(lines[2] ?? '', /the token is another one/);
  });

  it('does not let one app that is refused hinder the others, and tries it again later', async () => {
    await agent.stop();
    agent = agentOf({ service: 'web', port: 8_080 }, { service: 'api', port: 8_081 });
    const announce = announcer.announce.bind(announcer);
    announcer.announce = async (app) => {
      const announced = await announce(app);
      if (app.service === 'web') throw new AnnouncementRefused('port 8080 is taken');
      return announced;
    };
    agent.start();
    await clock.advance(60_000);
    const told = announcer.news();
    const tries = told.filter((line) => line === 'announce web:8080').length;
    assert.ok(tries > 10 && tries < 30, `${tries} tries`);
    assert.equal(told.filter((line) => line === 'announce api:8081').length, 1);
    assert.ok(told.filter((line) => line === 'beat api-2 up').length >= 29);
    announcer.announce = announce;
  });

  it('leaves with a drain, and gives signs of life until that is over', async () => {
    const drained = Promise.withResolvers<void>();
    announcer.withdrawing = drained.promise;
    agent.start();
    await clock.advance(100);
    announcer.news();
    const stopped = agent.stop();
    await clock.advance(5_000);
    assert.deepEqual(announcer.news(), ['withdraw web-1', 'beat web-1 up', 'beat web-1 up']);
    drained.resolve();
    await stopped;
    assert.deepEqual(announcer.news(), ['close']);
    await clock.advance(10_000);
    assert.deepEqual(announcer.news(), []);
    assert.equal(clock.pending, 0);
  });

  it('gives up a drain that nobody hears of, and says so', async () => {
    agent.start();
    await clock.advance(100);
    announcer.fault = new Error('nobody answers');
    const stopped = assert.rejects(agent.stop(), /web-1 could not be taken out of rotation.*nobody answers/);
    await clock.advance(20_000);
    await stopped;
    assert.equal(clock.pending, 0);
  });
});
